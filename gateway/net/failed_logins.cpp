#include "gateway/net/failed_logins.h"

#include <algorithm>

namespace tidegate::net {
namespace {

constexpr uint32_t failures_max = 30;       // the delay doubles no further, and is made up for in so many minutes
constexpr uint32_t worth_telling_from = 3;  // a slip or two is everybody's

}  // namespace

uint32_t FailedLogins::failures_left(const Entry& entry, Instant now) {
  auto forgiven = static_cast<uint64_t>(std::max(now - entry.last, Millis{0}) / forgiven_after);
  return forgiven >= entry.failures ? 0 : entry.failures - static_cast<uint32_t>(forgiven);
}

uint32_t FailedLogins::failures(const LoginKey& of, Instant now) const {
  auto found = by_key_.find(of);
  return found == by_key_.end() ? 0 : failures_left(*found->second, now);
}

Millis FailedLogins::delay(const LoginKey& of, Millis delay_max, Instant now, uint32_t free) const {
  uint32_t count = failures(of, now);
  if (count <= free) return Millis{0};
  Millis delay = std::min(first_delay * (int64_t{1} << (count - free - 1)), delay_max);
  Instant due = by_key_.at(of)->last + delay;
  return std::max(due - now, Millis{0});
}

bool FailedLogins::failed(const LoginKey& of, Instant now, uint32_t free) {
  if (!of.from) return false;
  auto found = by_key_.find(of);
  Entry entry{of};
  if (found != by_key_.end()) {
    entry = *found->second;
    entry.failures = failures_left(entry, now);
    if (entry.failures == 0) entry.told = false;
    by_age_.erase(found->second);
    by_key_.erase(found);
  } else if (by_age_.size() >= entries_max_) {
    by_key_.erase(by_age_.front().of);
    by_age_.pop_front();
  }
  entry.failures = std::min(entry.failures + 1, failures_max);
  entry.last = now;
  bool tell = entry.failures >= free + worth_telling_from && !entry.told;
  entry.told |= tell;
  by_age_.push_back(entry);
  by_key_[of] = std::prev(by_age_.end());
  return tell;
}

}  // namespace tidegate::net
