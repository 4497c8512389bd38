// Reading on behind damage: iterators that pass over blocks whose checksum is wrong and say how much they missed.
// Only for rocks_*.cpp. Thread: the caller's.
#pragma once

#include <rocksdb/iterator.h>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "store/keys.h"
#include "store/rocks_db.h"

namespace tidegate::store {

using IteratorPtr = std::unique_ptr<rocksdb::Iterator>;
using IteratorMaker = std::function<IteratorPtr()>;
using Visit = std::function<bool(std::string_view key, std::string_view value)>;

// Forward over the records of one queue. RocksDB's iterator stops at damage and cannot say where readable keys go on;
// places in a queue are numbers, so they are tried in growing steps.
class QueueCursor {
 public:
  // The iterator stands at the first record at or behind `from`, or at its end, or at damage; behind damage it is
  // replaced by one from `make`.
  QueueCursor(IteratorPtr& iterator, IteratorMaker make, QueueId queue, Seq from)
      : iterator_(iterator), make_(std::move(make)), queue_(queue), next_(from) {}

  // True: seq() and value() show a record. Looks for it behind damage, up to `end`.
  [[nodiscard]] bool settle(Seq end);
  void advance();  // REQUIRES: settled
  [[nodiscard]] Seq seq() const { return place_.seq; }
  [[nodiscard]] std::string_view value() const { return view(iterator_->value()); }
  // Places passed over: an upper bound of the records lost, since a queue has holes.
  [[nodiscard]] uint64_t skipped() const { return skipped_; }
  // Not damage, but the world: the read may be made again.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  [[nodiscard]] bool seek(uint64_t seq);
  [[nodiscard]] bool pass_damage(Seq end);

  IteratorPtr& iterator_;
  const IteratorMaker make_;
  QueueId queue_;
  Seq next_;
  QueuePlace place_{};
  uint64_t skipped_ = 0;
  std::optional<Error> error_;
};

// Every readable key of `table` that begins with `prefix`, in order, to `visit`, until it returns false. State keys
// cannot be guessed like places: behind damage the rest is read from its end backwards, so of several damaged spots
// what lies between the first and the last is missed. Returns the number of damaged spots met; errors: io.
[[nodiscard]] Result<uint64_t> scan_tolerantly(const RocksDb& db, Table table, std::string_view prefix,
                                               const Visit& visit);
// The same over everything that an iterator from `make` shows.
[[nodiscard]] Result<uint64_t> scan_tolerantly(const IteratorMaker& make, const Visit& visit);

}  // namespace tidegate::store
