// The one source of chance of a simulation: the same seed gives the same run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace tidegate::sim {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  // 0 .. n-1; not std::uniform_int_distribution, whose numbers differ between libraries.
  size_t below(size_t n) { return static_cast<size_t>(engine_() % n); }
  bool one_in(size_t n) { return below(n) == 0; }
  template <class Range>
  auto& pick(Range& range) {
    return range[below(range.size())];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace tidegate::sim
