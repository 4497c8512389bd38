// How much there is per minute, averaged over the last 1, 5 and 15 minutes as Mosquitto and Unix do it: each average is
// drawn towards the newest rate by the share of its period that has passed.
//
// Thread: one.
#pragma once

#include <array>
#include <cstdint>

#include "gateway/base/time.h"

namespace tidegate::status {

class LoadAverage {
 public:
  static constexpr std::array<int, 3> minutes = {1, 5, 15};

  // `total` was counted up to now since the start, `elapsed` of it since the last call. Nothing happens if no time has
  // passed.
  void update(uint64_t total, Millis elapsed);
  // Per minute, by the period's place in `minutes`.
  [[nodiscard]] double per_minute(size_t period) const { return averages_[period]; }

 private:
  std::array<double, minutes.size()> averages_{};
  uint64_t total_ = 0;
};

}  // namespace tidegate::status
