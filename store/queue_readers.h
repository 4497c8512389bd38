// The iterators that RocksStore keeps between two reads of the same queue, so that a drain in small windows costs no new
// iterator per window and never passes over the tombstones of what it drained.
//
// An iterator shows the past: it is given up once a record that it still has to show was erased, once it was outlived by
// `bytes_max` of writes (it pins the memory and the files of its time), and when space is reclaimed.
// Thread: any; one lock, held for moments. Only for rocks_*.cpp.
#pragma once

#include <rocksdb/iterator.h>

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "store/keys.h"
#include "store/rocks_db.h"

namespace tidegate::store {

struct QueueReader {
  QueueId queue;
  Seq next;                  // the iterator stood at the first record at or behind it when it was taken or given back
  std::string lower, upper;  // bounds; the iterator refers to them
  rocksdb::Slice lower_slice, upper_slice;
  rocksdb::ReadOptions options;
  std::unique_ptr<rocksdb::Iterator> iterator;
  uint64_t born = 0;    // bytes written until then
  bool in_use = false;  // taken, not given back
  bool stale = false;
  bool fresh = true;  // made by the `take` that gave it

  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> make_iterator(const RocksDb& db) const;
};
using QueueReaderPtr = std::shared_ptr<QueueReader>;

class QueueReaders {
 public:
  explicit QueueReaders(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // The kept reader of `queue` that stands at `from`, or a new one.
  [[nodiscard]] QueueReaderPtr take(const RocksDb& db, QueueId queue, Seq from);
  // For a later `take` at `next`, where its iterator stands now.
  void keep(const QueueReaderPtr& reader, Seq next);
  void discard(const QueueReaderPtr& reader);
  // After the changes became visible, so that an iterator made in between is noticed.
  void wrote(std::span<const Batch* const> batches);
  void drop_all();

 private:
  void give_back(const QueueReaderPtr& reader);
  void forget_stale();

  const uint64_t bytes_max_;
  std::mutex mutex_;
  std::vector<QueueReaderPtr> readers_;  // few; oldest first
  uint64_t bytes_written_ = 0;
};

}  // namespace tidegate::store
