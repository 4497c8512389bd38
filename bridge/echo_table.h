// Recognises own messages that the remote sends back. MQTT 3.1.1 has no "no local", so a `both` rule gets everything
// back that it sent. Pure; bounded in number and age.
//
// An entry is used up by one echo. A foreign message that equals one just sent is taken for its echo: with 3.1.1 nothing
// tells the two apart.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "gateway/base/time.h"

namespace tidegate::bridge {

class EchoTable {
 public:
  static constexpr size_t entries_max = 4096;
  static constexpr Millis age_max{10'000};

  void sent(std::string_view topic, std::string_view payload, Instant now) {
    forget(now);
    if (order_.size() >= entries_max) drop_oldest();
    const uint64_t hash = hash_of(topic, payload);
    order_.push_back({hash, next_number_, now});
    waiting_.emplace(hash, next_number_++);
  }
  // True: an echo, now used up.
  [[nodiscard]] bool take(std::string_view topic, std::string_view payload, Instant now) {
    forget(now);
    auto found = waiting_.find(hash_of(topic, payload));
    if (found == waiting_.end()) return false;
    waiting_.erase(found);
    return true;
  }
  [[nodiscard]] size_t size() const { return waiting_.size(); }

 private:
  struct Entry {
    uint64_t hash;
    uint64_t number;
    Instant at;
  };
  static uint64_t hash_of(std::string_view topic, std::string_view payload) {
    const uint64_t t = std::hash<std::string_view>{}(topic), p = std::hash<std::string_view>{}(payload);
    return t ^ (p + 0x9E3779B97F4A7C15ull + (t << 6) + (t >> 2));
  }
  void forget(Instant now) {
    while (!order_.empty() && now - order_.front().at >= age_max) drop_oldest();
  }
  void drop_oldest() {
    auto [first, last] = waiting_.equal_range(order_.front().hash);
    for (; first != last; ++first) {
      if (first->second != order_.front().number) continue;
      waiting_.erase(first);
      break;
    }
    order_.pop_front();
  }

  std::deque<Entry> order_;
  std::unordered_multimap<uint64_t, uint64_t> waiting_;  // hash to number
  uint64_t next_number_ = 0;
};

}  // namespace tidegate::bridge
