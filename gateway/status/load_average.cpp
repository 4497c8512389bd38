#include "gateway/status/load_average.h"

#include <cmath>

namespace tidegate::status {

void LoadAverage::update(uint64_t total, Millis elapsed) {
  if (elapsed <= Millis{0}) return;
  double seconds = static_cast<double>(elapsed.count()) / 1000;
  uint64_t more = total > total_ ? total - total_ : 0;
  total_ = total;
  double rate = static_cast<double>(more) * 60 / seconds;
  for (size_t i = 0; i < minutes.size(); ++i) {
    averages_[i] = rate + std::exp(-seconds / (60 * minutes[i])) * (averages_[i] - rate);
  }
}

}  // namespace tidegate::status
