// Which topic becomes which on the way up and down. Pure.
//
// Out: local_prefix + topic -> remote_prefix + topic. A message goes up once, by the first rule that matches it.
// In: the reverse, likewise by the first rule that matches.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/options.h"
#include "gateway/base/result.h"
#include "gateway/base/topic.h"

namespace tidegate::bridge {

// What the out queue's record (or, not durable, the QoS 0 lane) gets.
struct OutTarget {
  std::string topic;  // remote
  Qos qos = Qos::at_most_once;
  bool retain = false;
  bool durable = false;  // an obligation: QoS >= 1, or kept by queue_qos0
  friend bool operator==(const OutTarget&, const OutTarget&) = default;
};

// One filter for the broker's router: what local messages rule number `rule` wants.
struct LocalFilter {
  size_t rule = 0;
  TopicFilter filter;
  std::string remote;  // filter: where it leads
  Qos qos = Qos::at_most_once;
  bool queue_qos0 = false;
};

// One SUBSCRIBE entry for the remote.
struct RemoteFilter {
  std::string filter;
  Qos qos = Qos::at_most_once;
  bool no_local = false;  // 5.0: a rule `both` wants it, so that own messages do not come back
  friend bool operator==(const RemoteFilter&, const RemoteFilter&) = default;
};

class TopicMap {
 public:
  // Errors: invalid, with the number of the rule from 1: a side that is no valid filter, a prefix with a wildcard, an
  // empty topic whose two prefixes are not both topics.
  [[nodiscard]] static Result<TopicMap> make(const std::vector<Rule>& rules);

  // One for each out and both rule, in order.
  [[nodiscard]] std::span<const LocalFilter> local_filters() const { return local_filters_; }
  // Nothing: rule `rule` does not match, an earlier out rule does, or the remote topic would be no valid topic name.
  [[nodiscard]] std::optional<OutTarget> map_out(size_t rule, TopicName local, Qos qos, bool retain) const;
  // By the first out rule that matches.
  [[nodiscard]] std::optional<OutTarget> map_out(TopicName local, Qos qos, bool retain) const;

  // One for each remote filter of the in and both rules: the highest QoS of equal ones, no_local only if all want it.
  [[nodiscard]] std::span<const RemoteFilter> remote_filters() const { return remote_filters_; }
  struct InTarget {
    std::string topic;  // local
    Qos qos = Qos::at_most_once;
    bool clear_retain = false;
    bool both = false;  // may be an echo
  };
  [[nodiscard]] std::optional<InTarget> map_in(std::string_view remote) const;

 private:
  struct Side {
    Rule rule;
    TopicFilter local, remote;
  };
  std::vector<Side> sides_;
  std::vector<LocalFilter> local_filters_;
  std::vector<RemoteFilter> remote_filters_;
};

// The out mapping of one rule alone. Nothing: it does not match, or the remote topic would be no valid topic name.
[[nodiscard]] std::optional<OutTarget> map_out(const Rule& rule, TopicName local, Qos qos, bool retain);

}  // namespace tidegate::bridge
