// What arrived, against what should have: exact, whatever the order, and small while all is well.
//
// Invariants of a Stream:
// 1. Every sequence number below `next` is either received or in `missing`.
// 2. received == next - first - (numbers in missing).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace bench {

enum class Arrival : uint8_t { in_order, late, duplicate };

// The messages of one publisher at one subscriber.
class Stream {
 public:
  explicit Stream(uint64_t first = 1) : first_(first), next_(first) {}

  Arrival add(uint64_t sequence);
  // Numbers of [first, end) that never came.
  [[nodiscard]] uint64_t missing_below(uint64_t end) const;
  [[nodiscard]] bool has(uint64_t sequence) const;
  // Missing, although a later one came: lost, or on a detour.
  [[nodiscard]] uint64_t gaps() const { return missing_below(next_); }
  [[nodiscard]] uint64_t received() const { return next_ - first_ - gaps(); }

 private:
  uint64_t first_;
  uint64_t next_;
  std::map<uint64_t, uint64_t> missing_;  // begin -> end of each run of absent numbers
};

struct Counts {
  uint64_t received = 0;  // distinct
  uint64_t duplicated = 0;
  uint64_t reordered = 0;  // arrived after a later message of the same publisher
  uint64_t foreign = 0;    // not of this run
};

// Latencies in logarithmic steps of at most 1.6 %.
class Histogram {
 public:
  void add(int64_t nanoseconds);
  // 0 <= share <= 1; 0 where nothing was added.
  [[nodiscard]] double quantile_us(double share) const;
  [[nodiscard]] double max_us() const { return static_cast<double>(max_ns_) / 1000.0; }

 private:
  static constexpr unsigned sub_bits = 6;
  std::array<uint64_t, (64 - sub_bits + 1) << sub_bits> buckets_{};
  uint64_t count_ = 0;
  int64_t max_ns_ = 0;
};

}  // namespace bench
