// How often something may happen: so many a second, and so many at once after a quiet time. Time is an argument.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gateway/base/time.h"

namespace tidegate::net {

class TokenBucket {
 public:
  // `per_second` UINT32_MAX: as often as anybody likes. A change keeps what is left, within the new burst.
  void set(uint32_t per_second, uint32_t burst, Instant now) {
    if (!is_set_) {
      millitokens_ = uint64_t{burst} * 1000;
      filled_ = now;
      is_set_ = true;
    }
    fill(now);
    per_second_ = per_second;
    burst_ = burst;
    millitokens_ = std::min(millitokens_, uint64_t{burst_} * 1000);
  }

  // Whether it may happen now.
  [[nodiscard]] bool take(Instant now) {
    if (per_second_ == UINT32_MAX) return true;
    fill(now);
    if (millitokens_ < 1000) return false;
    millitokens_ -= 1000;
    return true;
  }

 private:
  void fill(Instant now) {
    if (now <= filled_) return;
    // After this long it is full whatever the rate; more could overflow.
    auto passed = static_cast<uint64_t>(std::min(now - filled_, Millis{Seconds{100'000}}).count());
    filled_ = now;
    if (per_second_ == UINT32_MAX) return;
    millitokens_ = std::min(millitokens_ + passed * per_second_, uint64_t{burst_} * 1000);
  }

  uint32_t per_second_ = UINT32_MAX;
  uint32_t burst_ = 0;
  uint64_t millitokens_ = 0;
  Instant filled_{};
  bool is_set_ = false;
};

}  // namespace tidegate::net
