#include "bridge/topic_map.h"

#include <algorithm>

namespace tidegate::bridge {
namespace {

bool goes_out(Direction d) {
  return d != Direction::in;
}
bool comes_in(Direction d) {
  return d != Direction::out;
}

// `from_prefix` off, `to_prefix` on. "a/#" matches "a" as well: a prefix "a/" then stands without its slash.
std::optional<std::string> replace_prefix(std::string_view topic, std::string_view from_prefix,
                                          std::string_view to_prefix) {
  std::string out;
  if (topic.starts_with(from_prefix)) {
    out.reserve(to_prefix.size() + topic.size() - from_prefix.size());
    out.append(to_prefix).append(topic.substr(from_prefix.size()));
  } else if (from_prefix.ends_with('/') && topic == from_prefix.substr(0, from_prefix.size() - 1) &&
             (to_prefix.empty() || to_prefix.ends_with('/'))) {
    out = to_prefix.substr(0, to_prefix.empty() ? 0 : to_prefix.size() - 1);
  } else {
    return std::nullopt;
  }
  if (!TopicName::parse(out)) return std::nullopt;
  return out;
}

std::optional<OutTarget> target_of(const Rule& rule, TopicName local, Qos qos, bool retain) {
  auto remote = replace_prefix(local.text(), rule.local_prefix, rule.remote_prefix);
  if (!remote) return std::nullopt;
  OutTarget target;
  target.topic = std::move(*remote);
  target.qos = lower(qos, rule.qos);
  if (qos == Qos::at_most_once && rule.queue_qos0) target.qos = lower(Qos::at_least_once, rule.qos);
  target.retain = retain && rule.retain == RetainPolicy::keep;
  target.durable = target.qos != Qos::at_most_once || rule.queue_qos0;
  return target;
}

Error invalid(size_t rule, const std::string& what) {
  return {ErrorCode::invalid, "rule " + std::to_string(rule + 1) + ": " + what};
}

Result<TopicFilter> side(size_t number, const char* which, const std::string& prefix, const std::string& topic) {
  if (prefix.find_first_of("+#") != std::string::npos) {
    return tl::unexpected(invalid(number, std::string(which) + " prefix \"" + prefix + "\" has a wildcard"));
  }
  auto filter = TopicFilter::parse(prefix + topic);
  if (!filter) {
    return tl::unexpected(invalid(number, std::string(which) + " side \"" + prefix + topic + "\" is no valid filter"));
  }
  return *filter;
}

}  // namespace

Result<TopicMap> TopicMap::make(const std::vector<Rule>& rules) {
  TopicMap map;
  for (size_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules[i];
    if (rule.topic.empty() && (rule.local_prefix.empty() || rule.remote_prefix.empty())) {
      return tl::unexpected(
          invalid(i, "an empty topic needs a local_prefix and a remote_prefix that are whole topics"));
    }
    auto local = side(i, "local", rule.local_prefix, rule.topic);
    if (!local) return tl::unexpected(local.error());
    auto remote = side(i, "remote", rule.remote_prefix, rule.topic);
    if (!remote) return tl::unexpected(remote.error());

    if (goes_out(rule.direction)) map.local_filters_.push_back({i, *local, remote->text(), rule.qos, rule.queue_qos0});
    if (comes_in(rule.direction)) {
      bool no_local = rule.direction == Direction::both;
      auto same = std::find_if(map.remote_filters_.begin(), map.remote_filters_.end(),
                               [&](const RemoteFilter& f) { return f.filter == remote->text(); });
      if (same == map.remote_filters_.end()) {
        map.remote_filters_.push_back({remote->text(), rule.qos, no_local});
      } else {
        same->qos = std::max(same->qos, rule.qos);
        same->no_local = same->no_local && no_local;
      }
    }
    map.sides_.push_back({rule, std::move(*local), std::move(*remote)});
  }
  return map;
}

std::optional<OutTarget> TopicMap::map_out(size_t rule, TopicName local, Qos qos, bool retain) const {
  for (size_t i = 0; i < rule && i < sides_.size(); ++i) {
    if (goes_out(sides_[i].rule.direction) && sides_[i].local.matches(local)) return std::nullopt;
  }
  if (rule >= sides_.size() || !goes_out(sides_[rule].rule.direction) || !sides_[rule].local.matches(local)) {
    return std::nullopt;
  }
  return target_of(sides_[rule].rule, local, qos, retain);
}

std::optional<OutTarget> TopicMap::map_out(TopicName local, Qos qos, bool retain) const {
  for (const Side& side : sides_) {
    if (goes_out(side.rule.direction) && side.local.matches(local)) return target_of(side.rule, local, qos, retain);
  }
  return std::nullopt;
}

std::optional<TopicMap::InTarget> TopicMap::map_in(std::string_view remote) const {
  auto name = TopicName::parse(remote);
  if (!name) return std::nullopt;
  for (const Side& side : sides_) {
    if (!comes_in(side.rule.direction) || !side.remote.matches(*name)) continue;
    auto local = replace_prefix(remote, side.rule.remote_prefix, side.rule.local_prefix);
    if (!local) return std::nullopt;
    return InTarget{std::move(*local), side.rule.qos, side.rule.retain == RetainPolicy::clear,
                    side.rule.direction == Direction::both};
  }
  return std::nullopt;
}

std::optional<OutTarget> map_out(const Rule& rule, TopicName local, Qos qos, bool retain) {
  auto filter = TopicFilter::parse(rule.local_prefix + rule.topic);
  if (!filter || !goes_out(rule.direction) || !filter->matches(local)) return std::nullopt;
  return target_of(rule, local, qos, retain);
}

}  // namespace tidegate::bridge
