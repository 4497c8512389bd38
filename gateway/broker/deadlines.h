// Deadlines of connections, sessions and wills in one heap. An entry may be stale: whoever pops it looks at the real
// state and sets it anew, so that a keep-alive costs nothing per packet.
#pragma once

#include <queue>
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
  void add(Deadline deadline) { heap_.push(std::move(deadline)); }
  [[nodiscard]] Instant next() const { return heap_.empty() ? Instant::never() : heap_.top().at; }
  // REQUIRES: next() is not never.
  [[nodiscard]] Deadline pop() {
    Deadline top = heap_.top();
    heap_.pop();
    return top;
  }

 private:
  struct Later {
    bool operator()(const Deadline& a, const Deadline& b) const { return a.at > b.at; }
  };
  std::priority_queue<Deadline, std::vector<Deadline>, Later> heap_;
};

}  // namespace tidegate::broker
