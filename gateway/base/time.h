// Time is an argument: the pure parts read no clock. Edges make a Now once per loop turn and pass it in.
#pragma once

#include <chrono>
#include <cstdint>

namespace tidegate {

using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

// Monotonic, for deadlines inside one process. Millis since an arbitrary point.
struct Instant {
  Millis since_start{0};
  friend constexpr auto operator<=>(Instant, Instant) = default;
  friend constexpr Instant operator+(Instant t, Millis d) { return {t.since_start + d}; }
  friend constexpr Instant operator-(Instant t, Millis d) { return {t.since_start - d}; }
  friend constexpr Millis operator-(Instant a, Instant b) { return a.since_start - b.since_start; }
  static constexpr Instant never() { return {Millis::max()}; }
};

// Wall clock, for what survives a restart (expiry, age). Millis since 1970, UTC. May jump.
struct WallTime {
  Millis since_epoch{0};
  friend constexpr auto operator<=>(WallTime, WallTime) = default;
  friend constexpr WallTime operator+(WallTime t, Millis d) { return {t.since_epoch + d}; }
  friend constexpr Millis operator-(WallTime a, WallTime b) { return a.since_epoch - b.since_epoch; }
  static constexpr WallTime never() { return {Millis::max()}; }
};

struct Now {
  Instant mono;
  WallTime wall;
};

// Reads both clocks. For edges only; the tidy test bans it in the pure folders.
[[nodiscard]] Now read_clock();

}  // namespace tidegate
