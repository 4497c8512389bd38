// A Store over two maps, for tests: the reference that the RocksDB store must agree with.
//
// It remembers every committed batch on request, so that a test can rebuild the store as a power cut would leave it:
// `after(n)` is the store after the first n writes. Failures are scripted. Any thread; one lock.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/store.h"

namespace tidegate::store {

class MemoryStore : public Store {
 public:
  MemoryStore() = default;

  Status write(std::span<const Batch* const> batches, bool sync) override;
  Status read_queue(QueueId queue, Seq from, Seq end, ReadLimit limit, std::vector<QueueRecord>& out) override;
  Status scan(std::string_view prefix,
              const std::function<bool(std::string_view key, std::string_view value)>& visit) override;
  Status reclaim(QueueId queue, Seq end) override;
  [[nodiscard]] uint64_t disk_bytes() const override;  // of keys and values
  Status mark_clean() override;
  [[nodiscard]] uint64_t unreadable() const override;

  // The next `writes` writes fail with `code` and change nothing.
  void fail_next(size_t writes, ErrorCode code);
  // From now on every write is kept for `after`. Before the first write, if `after` is to be complete.
  void record_writes();
  [[nodiscard]] size_t writes() const;  // that succeeded
  [[nodiscard]] size_t syncs() const;   // of them, with sync
  // A new store as it was after the first `writes` recorded writes.
  [[nodiscard]] std::unique_ptr<MemoryStore> after(size_t writes) const;
  [[nodiscard]] std::unique_ptr<MemoryStore> copy() const;
  // What a power cut now would leave: the recorded writes up to the last with sync.
  [[nodiscard]] std::unique_ptr<MemoryStore> after_power_cut() const;

  using Map = std::map<std::string, std::string, std::less<>>;
  [[nodiscard]] Map table(Table table) const;  // a copy

 private:
  void apply(const Batch& batch);

  mutable std::mutex mutex_;
  Map tables_[2];
  std::vector<Batch> recorded_;
  bool recording_ = false;
  size_t writes_ = 0;
  size_t syncs_ = 0;
  size_t synced_up_to_ = 0;  // recorded writes
  size_t failures_left_ = 0;
  ErrorCode failure_ = ErrorCode::io;
  uint64_t unreadable_ = 0;
};

}  // namespace tidegate::store
