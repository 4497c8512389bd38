#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "config/units.h"
#include "config/validate.h"
#include "gateway/base/topic.h"

namespace tidegate::config {
namespace {

constexpr uint16_t tls_port = 8883;

bool goes_out(const Rule& rule) {
  return rule.direction != Direction::in;
}
bool comes_in(const Rule& rule) {
  return rule.direction != Direction::out;
}

bool has_wildcard(const std::string& prefix) {
  return prefix.find_first_of("+#") != std::string::npos;
}

void check_prefix(const std::string& prefix, const Rule& rule, const std::string& at, Findings& findings) {
  if (prefix.empty()) return;
  if (has_wildcard(prefix) || !TopicName::parse(prefix))
    return findings.error(at, "expected a prefix without + and #, found \"" + prefix + "\"");
  if (!rule.topic.empty() && !prefix.ends_with('/'))
    findings.warning(at, "the prefix has no slash at its end: \"" + prefix + rule.topic +
                             "\" may not be meant; write \"" + prefix + "/\"");
}

// The whole filter of one side, "local" or "remote". One message per rule: a bad topic is bad on both sides.
bool check_filter(const std::string& filter, const Rule& rule, const char* side, const std::string& rule_at,
                  Findings& findings) {
  if (TopicFilter::parse(filter)) return true;
  if (filter.empty()) {  // depends on the whole rule: a misspelt key may have been meant as its topic
    findings.error(rule_at, "the rule has no topic: write \"topic\", or both prefixes as whole topics");
    return false;
  }
  std::string topic_at = rule_at + "/topic";
  std::string where = filter == rule.topic ? "" : " on the " + std::string(side) + " side";
  std::string message = "expected a topic filter (+ is a whole level, # the last), found \"" + filter + "\"" + where;
  findings.error(findings.written(topic_at) ? topic_at : rule_at, std::move(message),
                 {topic_at, rule_at + "/local_prefix", rule_at + "/remote_prefix"});
  return false;
}

void check_rule(const Bridge& bridge, const Rule& rule, const std::string& at, Findings& findings) {
  if (rule.qos == Qos::exactly_once && bridge.clean_session) {
    findings.warning(at + "/qos",
                     "QoS 2 is carried as QoS 1 with \"clean_session\": true, since the remote forgets what it has; "
                     "write \"clean_session\": false",
                     {at + "/qos"});
  }
  check_prefix(rule.local_prefix, rule, at + "/local_prefix", findings);
  check_prefix(rule.remote_prefix, rule, at + "/remote_prefix", findings);
  if (has_wildcard(rule.local_prefix) || has_wildcard(rule.remote_prefix)) return;
  if (check_filter(rule.local_filter(), rule, "local", at, findings))
    check_filter(rule.remote_filter(), rule, "remote", at, findings);
}

// A rule with its filters, parsed once for all comparisons.
struct Parsed {
  const Rule& rule;
  std::string at;
  std::optional<TopicFilter> local, remote;
};

bool share_topics(const std::optional<TopicFilter>& a, const std::optional<TopicFilter>& b) {
  return a && b && a->overlaps(*b);
}

void check_pair(const Parsed& first, const Parsed& second, Findings& findings) {
  const Rule &a = first.rule, &b = second.rule;
  bool same = a.topic == b.topic && a.local_prefix == b.local_prefix && a.remote_prefix == b.remote_prefix;
  bool both_out = goes_out(a) && goes_out(b), both_in = comes_in(a) && comes_in(b);
  auto overlapping = [&](const std::string& x, const std::string& y) {
    return "\"" + y + "\" overlaps \"" + x + "\" in " + findings.line_of(first.at, second.at) + ": what both match ";
  };
  if (same && (both_out || both_in)) {
    findings.error(second.at, "the same rule stands in " + findings.line_of(first.at, second.at) + " already",
                   {first.at, second.at});
  } else if (both_out && share_topics(first.local, second.local)) {
    findings.warning(second.at, overlapping(a.local_filter(), b.local_filter()) + "is sent once, by that rule",
                     {first.at, second.at});
  } else if (both_in && share_topics(first.remote, second.remote)) {
    findings.warning(second.at, overlapping(a.remote_filter(), b.remote_filter()) + "may arrive twice",
                     {first.at, second.at});
  }
}

void check_rules(const Bridge& bridge, const std::string& at, Findings& findings) {
  if (bridge.rules.empty()) return findings.warning(at, "no rules: this bridge carries nothing", {at + "/rules"});
  std::vector<Parsed> parsed;
  for (const Rule& rule : bridge.rules) {
    std::string rule_at = child_pointer(at + "/rules", parsed.size());
    check_rule(bridge, rule, rule_at, findings);
    parsed.push_back(
        {rule, rule_at, TopicFilter::parse(rule.local_filter()), TopicFilter::parse(rule.remote_filter())});
    for (size_t i = 0; i + 1 < parsed.size(); ++i) check_pair(parsed[i], parsed.back(), findings);
  }
}

bool is_own(const Listener& listener, const Address& address) {
  if (listener.port != address.port) return false;
  bool here = address.host == "localhost" || is_loopback(address.host);
  bool all = listener.bind == "0.0.0.0" || listener.bind == "::";
  return address.host == listener.bind || (here && (all || is_loopback(listener.bind)));
}

void check_addresses(const Config& config, const Bridge& bridge, const std::string& at, Findings& findings) {
  for (size_t i = 0; i < bridge.addresses.size(); ++i) {
    const Address& address = bridge.addresses[i];
    std::string where = child_pointer(at + "/addresses", i);
    for (const Listener& listener : config.listeners)
      if (is_own(listener, address))
        findings.warning(where, "this is the gateway's own listener \"" + listener.name + "\": a loop",
                         {where, "/listeners"});
    if (address.port == tls_port && !bridge.tls)
      findings.warning(where, "8883 is the port of MQTT over TLS, and this bridge has none; write \"tls\": {}",
                       {where, at + "/tls"});
  }
}

void check_bridge(const Config& config, size_t index, Findings& findings) {
  const Bridge& bridge = config.bridges[index];
  std::string at = child_pointer("/bridges", index);
  check_addresses(config, bridge, at, findings);
  check_rules(bridge, at, findings);
  if (bridge.tls && bridge.tls->cert_file.empty() != bridge.tls->key_file.empty())
    findings.error(at + "/tls", "cert_file and key_file go together");
  if (bridge.restart_timeout.base > bridge.restart_timeout.cap)
    findings.error(at + "/restart_timeout", "base (" + duration_text(bridge.restart_timeout.base) + ") is above cap (" +
                                                duration_text(bridge.restart_timeout.cap) + ")");
  // [MQTT-3.1.2-22] of 3.1.1; 5.0 allows it.
  if (bridge.password && !bridge.username && bridge.protocol_version != BridgeProtocol::v5_0)
    findings.error(at + "/password", "a password without \"username\" is possible with protocol_version \"5.0\" only");
  for (const auto& [key, topic] :
       {std::pair("/notification_topic", &bridge.notification_topic), std::pair("/status_topic", &bridge.status_topic)})
    if (!TopicName::parse(*topic))
      findings.error(at + key, "expected a topic without + and #, found \"" + *topic + "\"");
  if (bridge.notification_topic == bridge.status_topic)
    findings.error(at + "/status_topic", "notification_topic and status_topic are the same");
}

bool share_an_address(const Bridge& a, const Bridge& b) {
  return std::ranges::any_of(a.addresses,
                             [&](const Address& x) { return std::ranges::find(b.addresses, x) != b.addresses.end(); });
}

void check_two_bridges(const Config& config, size_t i, size_t j, Findings& findings) {
  const Bridge &a = config.bridges[i], &b = config.bridges[j];
  std::string first = child_pointer("/bridges", i), second = child_pointer("/bridges", j);
  std::string other = "the bridge in " + findings.line_of(first, second);
  if (a.name.empty() || b.name.empty()) return;
  if (a.name == b.name)  // what follows from the name follows from this
    return findings.error(second + "/name", "the name \"" + b.name + "\" belongs to " + other + " already");
  if (a.client_id == b.client_id && share_an_address(a, b))
    findings.error(second + "/client_id",
                   other + " connects to the same address as \"" + b.client_id + "\": they would evict each other");
  for (const auto& [key, one, two] : {std::tuple("/notification_topic", &a.notification_topic, &b.notification_topic),
                                      std::tuple("/status_topic", &a.status_topic, &b.status_topic)})
    if (*one == *two) findings.error(second + key, other + " publishes on \"" + *two + "\", too");
}

}  // namespace

void validate_bridges(const Config& config, Findings& findings) {
  for (size_t j = 0; j < config.bridges.size(); ++j) {
    check_bridge(config, j, findings);
    for (size_t i = 0; i < j; ++i) check_two_bridges(config, i, j, findings);
  }
}

}  // namespace tidegate::config
