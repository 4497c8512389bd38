#include "tests/bench/tally.h"

#include <algorithm>
#include <bit>

namespace bench {

Arrival Stream::add(uint64_t sequence) {
  if (sequence == next_) {
    ++next_;
    return Arrival::in_order;
  }
  if (sequence > next_) {
    missing_.emplace(next_, sequence);
    next_ = sequence + 1;
    return Arrival::in_order;
  }
  auto run = missing_.upper_bound(sequence);
  if (run == missing_.begin()) return Arrival::duplicate;
  --run;
  auto [begin, end] = *run;
  if (sequence >= end) return Arrival::duplicate;
  missing_.erase(run);
  if (begin < sequence) missing_.emplace(begin, sequence);
  if (sequence + 1 < end) missing_.emplace(sequence + 1, end);
  return Arrival::late;
}

uint64_t Stream::missing_below(uint64_t end) const {
  uint64_t count = end > next_ ? end - next_ : 0;
  for (auto [run_begin, run_end] : missing_) {
    if (run_begin >= end) break;
    count += std::min(run_end, end) - run_begin;
  }
  return count;
}

bool Stream::has(uint64_t sequence) const {
  if (sequence < first_ || sequence >= next_) return false;
  auto run = missing_.upper_bound(sequence);
  return run == missing_.begin() || sequence >= std::prev(run)->second;
}

void Histogram::add(int64_t nanoseconds) {
  auto value = static_cast<uint64_t>(std::max<int64_t>(nanoseconds, 0));
  auto width = static_cast<unsigned>(std::bit_width(value));
  unsigned shift = width > sub_bits + 1 ? width - (sub_bits + 1) : 0;
  size_t bucket = (static_cast<size_t>(shift) << sub_bits) + (value >> shift);
  ++buckets_[std::min(bucket, buckets_.size() - 1)];
  ++count_;
  max_ns_ = std::max(max_ns_, nanoseconds);
}

double Histogram::quantile_us(double share) const {
  auto rank = static_cast<uint64_t>(share * static_cast<double>(count_));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen <= rank || buckets_[bucket] == 0) continue;
    size_t shift = bucket >> sub_bits;
    if (shift > 0) --shift;
    uint64_t value = (bucket - (shift << sub_bits)) << shift;
    return std::min(static_cast<double>(value) / 1000.0, max_us());
  }
  return max_us();
}

}  // namespace bench
