// How long to wait between tries: decorrelated jitter. Pure: the random source and the time are given.
//
// wait = uniform(base, 3 * last wait), at most cap. Many gateways that lost the same remote come back spread out, and a
// remote that accepts and then cuts is met with growing waits, because only a stable connection resets them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

#include "bridge/options.h"
#include "gateway/base/time.h"

namespace tidegate::bridge {

class Backoff {
 public:
  // `random(n)`: a number from 0 up to, not including, n; n > 0.
  Backoff(RestartTimeout timeout, std::function<uint64_t(uint64_t)> random)
      : timeout_(timeout), random_(std::move(random)) {}

  // The wait before the next try.
  [[nodiscard]] Millis next() {
    const int64_t base = std::max<int64_t>(timeout_.base.count(), 1);
    const int64_t cap = std::max(base, timeout_.cap.count());
    const int64_t high = std::min(cap, last_ ? last_ * 3 : base);
    last_ = high > base ? base + static_cast<int64_t>(random_(static_cast<uint64_t>(high - base + 1))) : base;
    return Millis{last_};
  }

  // A connection ended that was up for `connected_for`. `flowed`: something was acknowledged in it, or there was nothing
  // to acknowledge. The next wait is the shortest one again only if it was stable.
  void connection_ended(Millis connected_for, bool flowed) {
    if (flowed && connected_for >= timeout_.stable_after) reset();
  }
  void reset() { last_ = 0; }

 private:
  RestartTimeout timeout_;
  std::function<uint64_t(uint64_t)> random_;
  int64_t last_ = 0;  // ms; 0: no wait yet
};

}  // namespace tidegate::bridge
