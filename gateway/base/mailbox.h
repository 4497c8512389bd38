// A bounded mailbox from any number of threads to one. The receiver takes everything at once.
//
// Thread: push from anywhere; drain from the receiver. `wake` is called by the pushing thread, outside the lock, when
// the mailbox was empty before: it must not block and must not push to this mailbox.
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace tidegate {

template <class T>
class Mailbox {
 public:
  // Limit in items; a push beyond it is refused.
  Mailbox(size_t items_max, std::function<void()> wake) : items_max_(items_max), wake_(std::move(wake)) {}

  // False: full, and `item` was not taken.
  [[nodiscard]] bool push(T item) {
    bool was_empty;
    {
      std::lock_guard lock(mutex_);
      if (items_.size() >= items_max_) return false;
      was_empty = items_.empty();
      items_.push_back(std::move(item));
    }
    if (was_empty) wake_();
    return true;
  }

  // Replaces the content of `into` by everything waiting, in order. Reuses its memory.
  void drain(std::vector<T>& into) {
    into.clear();
    std::lock_guard lock(mutex_);
    items_.swap(into);
  }

 private:
  const size_t items_max_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<T> items_;
};

}  // namespace tidegate
