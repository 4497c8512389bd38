// Retained messages (MQTT 3.3.1.3), by topic: at most one each, in memory and, but for the gateway's own, in the store.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/message.h"
#include "gateway/base/topic.h"

namespace tidegate::broker {

class Retained {
 public:
  // Keeps `message` for its topic in place of the one before.
  void keep(MessagePtr message);
  // False: there was none.
  bool remove(std::string_view topic);
  [[nodiscard]] MessagePtr find(std::string_view topic) const;
  // Every message that `filter` matches, in the order of topics.
  void for_each(const TopicFilter& filter, const std::function<void(const MessagePtr&)>& visit) const;

  // The topics of those that have expired.
  [[nodiscard]] std::vector<std::string> expired(WallTime now) const;
  // Whether there is one that will expire.
  [[nodiscard]] bool any_expires() const { return expiring_ > 0; }

  [[nodiscard]] size_t count() const { return by_topic_.size(); }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  std::map<std::string, MessagePtr, std::less<>> by_topic_;
  uint64_t bytes_ = 0;
  size_t expiring_ = 0;
};

}  // namespace tidegate::broker
