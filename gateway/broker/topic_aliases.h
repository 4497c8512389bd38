// Topic aliases to a 5.0 client that asks for some (3.3.2.3.4). A topic gets one when it comes the second time; who has
// one keeps it as long as the connection lasts.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tidegate::broker {

class TopicAliases {
 public:
  explicit TopicAliases(uint16_t most) : most_(most) {}

  // Of a topic that the client knows by its alias; 0: it has none.
  [[nodiscard]] uint16_t find(std::string_view topic) const {
    auto found = aliases_.find(topic);
    return found == aliases_.end() ? uint16_t{0} : found->second;
  }
  // For a topic that has none and is about to be sent: the alias to tell beside it, by add; 0: none.
  [[nodiscard]] uint16_t next(std::string_view topic) {
    if (topic.size() <= property_bytes || aliases_.size() >= most_) return 0;
    size_t hash = std::hash<std::string_view>{}(topic);
    size_t& seen = seen_[hash % seen_.size()];
    if (seen == hash) return static_cast<uint16_t>(aliases_.size() + 1);
    seen = hash;
    return 0;
  }
  void add(std::string_view topic) { aliases_.emplace(topic, static_cast<uint16_t>(aliases_.size() + 1)); }

 private:
  static constexpr size_t property_bytes = 3;  // what an alias costs
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  uint16_t most_;
  std::unordered_map<std::string, uint16_t, Hash, std::equal_to<>> aliases_;
  std::array<size_t, 64> seen_{};  // hashes of topics sent lately
};

}  // namespace tidegate::broker
