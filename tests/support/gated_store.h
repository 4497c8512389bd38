// A store in memory whose writes wait for the test: hold, look at what arrived, let go. No sleeps.
#pragma once

#include <condition_variable>
#include <mutex>

#include "store/memory_store.h"

namespace tidegate::store {

class GatedStore : public MemoryStore {
 public:
  Status write(std::span<const Batch* const> batches, bool sync) override {
    {
      std::unique_lock lock(gate_);
      ++entered_;
      last_batches_ = batches.size();
      changed_.notify_all();
      changed_.wait(lock, [&] { return !closed_ || passes_ > 0; });
      if (closed_) --passes_;
    }
    const Status status = MemoryStore::write(batches, sync);
    std::lock_guard lock(gate_);
    ++left_;
    changed_.notify_all();
    return status;
  }
  void close() {
    std::lock_guard lock(gate_);
    closed_ = true;
  }
  void open() {
    std::lock_guard lock(gate_);
    closed_ = false;
    changed_.notify_all();
  }
  void let_one_pass() {
    std::lock_guard lock(gate_);
    ++passes_;
    changed_.notify_all();
  }
  void await_entered(size_t writes) {
    std::unique_lock lock(gate_);
    changed_.wait(lock, [&] { return entered_ >= writes; });
  }
  void await_left(size_t writes) {
    std::unique_lock lock(gate_);
    changed_.wait(lock, [&] { return left_ >= writes; });
  }
  // Batches in the write that entered last.
  [[nodiscard]] size_t last_batches() {
    std::lock_guard lock(gate_);
    return last_batches_;
  }
  [[nodiscard]] size_t entered() {
    std::lock_guard lock(gate_);
    return entered_;
  }

 private:
  std::mutex gate_;
  std::condition_variable changed_;
  bool closed_ = false;
  size_t passes_ = 0;
  size_t entered_ = 0;
  size_t left_ = 0;
  size_t last_batches_ = 0;
};

}  // namespace tidegate::store
