// Deadlines of connections, sessions and wills in one heap. An entry may be stale: whoever pops it looks at the real
// state and sets it anew, so that a keep-alive costs nothing per packet.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gateway/base/ids.h"
#include "gateway/base/time.h"

namespace tidegate::broker {

struct Deadline {
  enum class Kind : uint8_t {
    connect_timeout,
    keep_alive,
    session_expiry,
    will,
    refused_too_long,
    read_again,
    estates,
    retained
  };
  Instant at;
  Kind kind{};
  ConnId conn;                             // of a connection: not of session_expiry, will, estates and retained
  std::unique_ptr<std::string> client_id;  // of session_expiry and will

  static Deadline of_connection(Instant at, Kind kind, ConnId conn) { return {at, kind, conn, nullptr}; }
  static Deadline of_client(Instant at, Kind kind, const std::string& client_id) {
    return {at, kind, {}, std::make_unique<std::string>(client_id)};
  }
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
    Deadline first = std::move(heap_.back());
    heap_.pop_back();
    return first;
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
