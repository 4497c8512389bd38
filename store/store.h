// The store's port: the waist between gateway and bridge. RocksDB stands behind it in rocks_store.cpp, a map in
// memory_store.h for tests.
//
// Thread: `write` from the committer alone; `read_queue` and `reclaim` from any thread; `scan` before anything else runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "store/batch.h"
#include "store/records.h"

namespace tidegate::store {

// One record of a queue, as read from disk.
struct QueueRecord {
  Seq seq{};
  MessagePtr message;  // qos and retain of the delivery
};

struct ReadLimit {
  size_t messages_max = 100;
  size_t bytes_max = 1 << 20;  // stops after the record that passes it, so at least one record is read
};

class Store {
 public:
  virtual ~Store() = default;

  // Applies the batches in order as one atomic write. With `sync`, returns once they, and everything written before,
  // survive a power cut; no batches and `sync` only does that.
  // Errors: no_space, io; then nothing counts as applied and the same call must be made again before any other.
  virtual Status write(std::span<const Batch* const> batches, bool sync) = 0;

  // Appends to `out` the committed records of `queue` with `from` <= seq < `end`, in order. Unreadable records are
  // skipped and counted by the store. Fewer than the limit: there were no more.
  virtual Status read_queue(QueueId queue, Seq from, Seq end, ReadLimit limit, std::vector<QueueRecord>& out) = 0;

  // Every key of Table::state that begins with `prefix`, in order, to `visit`, until it returns false.
  virtual Status scan(std::string_view prefix,
                      const std::function<bool(std::string_view key, std::string_view value)>& visit) = 0;

  // Gives the space of the records of `queue` below `end` back to the file system. They are below the committed head
  // (or the erasure of the queue is committed). Takes milliseconds: call it once per some ten thousand records, and once
  // when the queue went empty.
  virtual Status reclaim(QueueId queue, Seq end) = 0;

  // Bytes on disk.
  [[nodiscard]] virtual uint64_t disk_bytes() const = 0;

  // Notes durably that this stop is orderly: the last call before the end, when nobody writes any more.
  virtual Status mark_clean() { return {}; }

  // Records that a read had to pass over since the start, as far as can be told. Any thread.
  [[nodiscard]] virtual uint64_t unreadable() const { return 0; }
  // Where a store that turned out to be damaged while in use was moved to; empty: nothing happened. Any thread.
  [[nodiscard]] virtual std::string set_aside() const { return {}; }
};

}  // namespace tidegate::store
