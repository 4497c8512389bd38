#include "gateway/status/sys_tree.h"

#include <cstdio>
#include <numeric>

namespace tidegate::status {
namespace {

constexpr std::string_view root = "$SYS/broker/";

using broker::Counters;

struct Cause {
  std::string_view name;
  std::string_view meaning;
  uint64_t (*count)(const SysFacts&);
};

constexpr std::array<Cause, 7> causes = {{
    {"queue_full", "QoS 1 and 2 for a session whose queue is full",
     [](const SysFacts& f) { return f.counters.dropped_queue_full; }},
    {"slow_connection", "QoS 0 for a client that does not read",
     [](const SysFacts& f) { return f.counters.dropped_slow_connection; }},
    {"expired", "message expiry (5.0) passed while waiting",
     [](const SysFacts& f) { return f.counters.dropped_expired; }},
    {"not_allowed", "by a topic rule: published, in a will, or to be delivered",
     [](const SysFacts& f) { return f.counters.dropped_not_allowed; }},
    {"too_large", "above a client's Maximum Packet Size",
     [](const SysFacts& f) { return f.counters.dropped_too_large; }},
    {"bridge_topic", "a bridge's rule had no remote topic for it",
     [](const SysFacts& f) { return f.counters.dropped_bridge_topic; }},
    {"inbound_full", "QoS 0 from a remote that came faster than it could be taken",
     [](const SysFacts& f) { return f.inbound_dropped; }},
}};

std::string number(uint64_t value) {
  return std::to_string(value);
}

std::string two_decimals(double value) {
  std::array<char, 64> text{};
  int length = std::snprintf(text.data(), text.size(), "%.2f", value);
  return {text.data(), static_cast<size_t>(length)};
}

uint64_t sum(const std::vector<std::pair<std::string_view, uint64_t>>& counts) {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0},
                         [](uint64_t total, const auto& each) { return total + each.second; });
}

uint64_t stored_messages(const SysFacts& f) {
  uint64_t messages = f.holdings.queued_messages + f.retained_messages;
  for (const BridgeFacts& bridge : f.bridges) messages += bridge.queue_messages;
  return messages;
}

uint64_t stored_bytes(const SysFacts& f) {
  uint64_t bytes = f.holdings.queued_bytes + f.retained_bytes;
  for (const BridgeFacts& bridge : f.bridges) bytes += bridge.queue_bytes;
  return bytes;
}

uint64_t away(const SysFacts& f) {
  return f.sessions > f.counters.connections_now ? f.sessions - f.counters.connections_now : 0;
}

class Table {
 public:
  using Count = uint64_t (*)(const SysFacts&);
  void text(std::string name, std::string meaning, std::function<std::string(const SysFacts&)> value) {
    topics.push_back({std::move(name), true, std::move(meaning), std::move(value)});
  }
  void count(std::string name, std::string meaning, Count value, bool of_mosquitto = true) {
    topics.push_back(
        {std::move(name), of_mosquitto, std::move(meaning), [value](const SysFacts& f) { return number(value(f)); }});
  }
  void ours(std::string name, std::string meaning, Count value) {
    count(std::move(name), std::move(meaning), value, false);
  }
  void load(const std::string& name, const std::string& what, LoadAverage Loads::*load) {
    for (size_t i = 0; i < LoadAverage::minutes.size(); ++i) {
      std::string period = std::to_string(LoadAverage::minutes[i]) + "min";
      text("load/" + name + "/" + period, what + " per minute, average over " + period,
           [load, i](const SysFacts& f) { return two_decimals((f.loads.*load).per_minute(i)); });
    }
  }
  void bridge(std::string name, std::string meaning, std::function<std::string(const BridgeFacts&)> value) {
    topics.push_back({"bridge/NAME/" + std::move(name), false, std::move(meaning), {}, std::move(value)});
  }

  std::vector<SysTopic> topics;
};

void add_clients(Table& t) {
  t.count("clients/connected", "clients connected now", [](const SysFacts& f) { return f.counters.connections_now; });
  t.count("clients/active", "old name of clients/connected",
          [](const SysFacts& f) { return f.counters.connections_now; });
  t.count("clients/disconnected", "kept sessions whose client is away", away);
  t.count("clients/inactive", "old name of clients/disconnected", away);
  t.count("clients/total", "sessions, their clients connected or away", [](const SysFacts& f) { return f.sessions; });
  t.count("clients/maximum", "the most clients connected at one time since the start",
          [](const SysFacts& f) { return f.counters.connections_max; });
  t.count("clients/expired", "kept sessions that ended since the start as their client stayed away too long",
          [](const SysFacts& f) { return f.counters.sessions_expired; });
  t.ours("connections/refused", "connections closed at once: a limit was reached",
         [](const SysFacts& f) { return f.connections_refused; });
  t.ours("connections/refused/address", "of them by allow_addresses and deny_addresses",
         [](const SysFacts& f) { return f.refused_address; });
  t.ours("connections/refused/per_address", "of them by max_connections_per_address",
         [](const SysFacts& f) { return f.refused_per_address; });
  t.ours("connections/refused/rate", "of them by connect_rate", [](const SysFacts& f) { return f.refused_rate; });
  t.ours("connections/refused/silent", "of them without CONNECT, for newcomers beyond max_pending_connects",
         [](const SysFacts& f) { return f.refused_silent; });
  t.ours("logins/failed", "log-ins with a wrong user name or password",
         [](const SysFacts& f) { return f.logins_failed; });
  t.ours("logins/delayed", "log-ins that waited as others from their address had failed",
         [](const SysFacts& f) { return f.logins_delayed; });
  t.ours("logins/refused", "log-ins refused unchecked, as too many waited already",
         [](const SysFacts& f) { return f.logins_refused; });
}

void add_traffic(Table& t) {
  t.count("bytes/received", "bytes from clients", [](const SysFacts& f) { return f.bytes_received; });
  t.count("bytes/sent", "bytes to clients", [](const SysFacts& f) { return f.bytes_sent; });
  t.count("messages/received", "MQTT packets of every type from clients",
          [](const SysFacts& f) { return f.counters.packets_received; });
  t.count("messages/sent", "MQTT packets of every type to clients",
          [](const SysFacts& f) { return f.counters.packets_sent; });
  t.count("messages/inflight", "QoS 1 and 2 messages sent to clients and not acknowledged yet",
          [](const SysFacts& f) { return f.holdings.inflight; });
  t.count("messages/stored", "old name of store/messages/count", stored_messages);
  t.count("publish/messages/received", "messages published by clients",
          [](const SysFacts& f) { return f.counters.publishes_received; });
  t.count("publish/messages/sent", "messages sent to clients",
          [](const SysFacts& f) { return f.counters.publishes_sent; });
  t.count("publish/messages/dropped", "messages dropped, of all causes below; a bridge has counts of its own", dropped);
  for (const Cause& cause : causes) {
    t.ours("publish/messages/dropped/" + std::string(cause.name), std::string(cause.meaning), cause.count);
  }
  t.ours("publish/messages/refused", "messages, CONNECTs and filters refused aloud as the store takes none",
         [](const SysFacts& f) { return f.counters.refused_store; });
  t.count("publish/bytes/received", "payload bytes published by clients",
          [](const SysFacts& f) { return f.counters.publish_bytes_received; });
  t.count("publish/bytes/sent", "payload bytes sent to clients",
          [](const SysFacts& f) { return f.counters.publish_bytes_sent; });
}

void add_holdings(Table& t) {
  t.count("store/messages/count", "messages held: retained, waiting for sessions, waiting for bridges",
          stored_messages);
  t.count("store/messages/bytes", "their bytes, as they count for limits", stored_bytes);
  t.count("retained messages/count", "retained messages, those of $SYS included",
          [](const SysFacts& f) { return f.retained_messages; });
  t.ours("retained messages/dropped", "delivered, but not retained: a limit was reached",
         [](const SysFacts& f) { return f.counters.dropped_retained_full; });
  t.count("subscriptions/count", "subscriptions of all sessions, without the shared ones",
          [](const SysFacts& f) { return f.subscriptions; });
  t.count("shared_subscriptions/count", "shared ones (`$share/...`)",
          [](const SysFacts& f) { return f.shared_subscriptions; });
  t.ours("logging/dropped", "lines of the log that a destination could not take",
         [](const SysFacts& f) { return f.log_lines_dropped; });
  t.count("heap/current", "bytes of heap in use (`heap/current size` on Mosquitto's page)",
          [](const SysFacts& f) { return f.heap_bytes; });
  t.count("heap/maximum", "the most of it, looked at once a second (`heap/maximum size` on Mosquitto's page)",
          [](const SysFacts& f) { return f.heap_bytes_max; });
}

void add_loads(Table& t) {
  t.load("messages/received", "MQTT packets received", &Loads::messages_received);
  t.load("messages/sent", "MQTT packets sent", &Loads::messages_sent);
  t.load("publish/received", "messages received", &Loads::publish_received);
  t.load("publish/sent", "messages sent", &Loads::publish_sent);
  t.load("publish/dropped", "messages dropped", &Loads::publish_dropped);
  t.load("bytes/received", "bytes received", &Loads::bytes_received);
  t.load("bytes/sent", "bytes sent", &Loads::bytes_sent);
  t.load("sockets", "connections accepted", &Loads::sockets);
  t.load("connections", "CONNECT packets", &Loads::connections);
}

void add_bridges(Table& t) {
  t.bridge("state", "`connected`, `connecting`, `waiting` (for the next try), `refused` or `stopped`",
           [](const BridgeFacts& b) { return b.state; });
  t.bridge("queue/messages", "messages that wait or are in flight",
           [](const BridgeFacts& b) { return number(b.queue_messages); });
  t.bridge("queue/bytes", "their bytes", [](const BridgeFacts& b) { return number(b.queue_bytes); });
  t.bridge("queue/oldest_age", "seconds that the oldest has waited; 0 if none waits",
           [](const BridgeFacts& b) { return number(static_cast<uint64_t>(b.oldest_age.count())); });
  t.bridge("delivered", "messages that the remote has acknowledged, since the bridge began",
           [](const BridgeFacts& b) { return number(b.delivered); });
  t.bridge("dropped", "messages dropped since then, of all causes",
           [](const BridgeFacts& b) { return number(sum(b.dropped)); });
  t.topics.push_back({"bridge/NAME/dropped/CAUSE",
                      false,
                      "by cause, as in `dropped_by_cause` of the JSON status",
                      {},
                      {},
                      [](const BridgeFacts& b, size_t cause) { return b.dropped[cause].second; }});
  t.bridge("last_error", "step and text of the last trouble; `none`",
           [](const BridgeFacts& b) { return b.last_error.empty() ? std::string("none") : b.last_error; });
}

std::vector<SysTopic> make_topics() {
  Table t;
  t.text("version", "`tidegate version ...`; static",
         [](const SysFacts& f) { return "tidegate version " + f.version; });
  t.text("timestamp", "the day on which this program was built; static", [](const SysFacts& f) { return f.built; });
  t.text("uptime", "time since the start, as `N seconds`",
         [](const SysFacts& f) { return std::to_string(f.uptime.count()) + " seconds"; });
  add_clients(t);
  add_traffic(t);
  add_holdings(t);
  add_loads(t);
  add_bridges(t);
  return std::move(t.topics);
}

std::string with(std::string name, std::string_view word, std::string_view value) {
  return name.replace(name.find(word), word.size(), value);
}

}  // namespace

uint64_t dropped(const SysFacts& facts) {
  return std::accumulate(causes.begin(), causes.end(), uint64_t{0},
                         [&](uint64_t total, const Cause& cause) { return total + cause.count(facts); });
}

void update(Loads& loads, const SysFacts& facts, Millis elapsed) {
  const Counters& counters = facts.counters;
  loads.messages_received.update(counters.packets_received, elapsed);
  loads.messages_sent.update(counters.packets_sent, elapsed);
  loads.publish_received.update(counters.publishes_received, elapsed);
  loads.publish_sent.update(counters.publishes_sent, elapsed);
  loads.publish_dropped.update(dropped(facts), elapsed);
  loads.bytes_received.update(facts.bytes_received, elapsed);
  loads.bytes_sent.update(facts.bytes_sent, elapsed);
  loads.sockets.update(facts.sockets_opened, elapsed);
  loads.connections.update(counters.connects_received, elapsed);
}

const std::vector<SysTopic>& sys_topics() {
  static const std::vector<SysTopic> topics = make_topics();
  return topics;
}

TopicValues sys_values(const SysFacts& facts) {
  TopicValues values;
  for (const SysTopic& topic : sys_topics()) {
    std::string name = std::string(root) + topic.name;
    if (topic.value) values[name] = topic.value(facts);
    for (const BridgeFacts& bridge : facts.bridges) {
      if (topic.value_of_bridge) values[with(name, "NAME", bridge.name)] = topic.value_of_bridge(bridge);
      for (size_t i = 0; topic.value_of_cause && i < bridge.dropped.size(); ++i) {
        std::string of_cause = with(with(name, "CAUSE", bridge.dropped[i].first), "NAME", bridge.name);
        values[of_cause] = number(topic.value_of_cause(bridge, i));
      }
    }
  }
  return values;
}

TopicValues differences(const TopicValues& published, const TopicValues& wanted) {
  TopicValues out;
  for (const auto& [topic, value] : published) {
    if (!wanted.contains(topic)) out[topic] = "";
  }
  for (const auto& [topic, value] : wanted) {
    auto before = published.find(topic);
    if (before == published.end() || before->second != value) out[topic] = value;
  }
  return out;
}

std::string sys_markdown() {
  std::string out = R"(# The `$SYS` topics

Printed from `sys_tree.cpp`, which also makes the values; a test holds the two together. To print it anew:
`TIDEGATE_WRITE_SYS_TOPICS=gateway/status/SYS-TOPICS.md build/dev/tests/unit_status --gtest_filter=SysTopics.*`.

Names are below `$SYS/broker/`. Each is retained, published at `gateway.sys_interval`, and again only if its value has
changed: who subscribes gets all of them at once. `#` does not cover them; `$SYS/#` does. They are kept in memory, never
stored and never bridged. Counts are since the start of the gateway. "M": Mosquitto has it under this name.

| topic | M | what |
|---|---|---|
)";
  for (const SysTopic& topic : sys_topics()) {
    out += "| `" + topic.name + "` | " + (topic.of_mosquitto ? "M" : "") + " | " + topic.meaning + " |\n";
  }
  out += R"(
Beside them stand, changed as soon as what they say changes: a bridge's `connection/CLIENT_ID/state` (M, `1` or `0`) and
its JSON status `bridge/NAME/status` ([gateway/README.md](../README.md)).
)";
  return out;
}

}  // namespace tidegate::status
