// Deadlines of connections, sessions and wills in one heap. An entry may be stale: whoever pops it looks at the real
// state and sets it anew, so that a keep-alive costs nothing per packet. Stale entries are swept out when they are many:
// a client that connects again and again leaves one each time, and it may lie far ahead.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "gateway/base/ids.h"
#include "gateway/base/time.h"

namespace tidegate::broker {

struct Deadline {
  enum class Kind : uint8_t { connect_timeout, keep_alive, session_expiry, will, refused_too_long };
  Instant at;
  Kind kind{};
  ConnId conn;            // connect_timeout, keep_alive, refused_too_long
  std::string client_id;  // session_expiry, will
};

class Deadlines {
 public:
  void add(Deadline deadline) {
    heap_.push_back(std::move(deadline));
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  [[nodiscard]] Instant next() const { return heap_.empty() ? Instant::never() : heap_.front().at; }
  // REQUIRES: next() is not never.
  [[nodiscard]] Deadline pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Deadline top = std::move(heap_.back());
    heap_.pop_back();
    return top;
  }
  // Drops what `is_stale`, if there are twice as many entries as after the last time.
  template <class IsStale>
  void sweep(const IsStale& is_stale) {
    if (heap_.size() < sweep_at_) return;
    std::erase_if(heap_, is_stale);
    std::make_heap(heap_.begin(), heap_.end(), later);
    sweep_at_ = std::max<size_t>(1024, 2 * heap_.size());
  }
  [[nodiscard]] size_t size() const { return heap_.size(); }

 private:
  static bool later(const Deadline& a, const Deadline& b) { return a.at > b.at; }
  std::vector<Deadline> heap_;
  size_t sweep_at_ = 1024;
};

}  // namespace tidegate::broker
