// The $SYS tree: which topics there are, what each one means, and what it says now. The page SYS-TOPICS.md is printed
// from here.
//
// Names below $SYS/broker/ are Mosquitto's wherever it has one for the thing.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/time.h"
#include "gateway/broker/counters.h"
#include "gateway/broker/holdings.h"
#include "gateway/status/load_average.h"

namespace tidegate::status {

struct BridgeFacts {
  std::string name;
  std::string state;
  uint64_t queue_messages = 0;
  uint64_t queue_bytes = 0;
  Seconds oldest_age{0};
  uint64_t delivered = 0;
  std::vector<std::pair<std::string_view, uint64_t>> dropped;  // by cause, always the same ones
  std::string last_error;                                      // empty: none yet
};

struct Loads {
  LoadAverage messages_received, messages_sent, publish_received, publish_sent, publish_dropped, bytes_received,
      bytes_sent, sockets, connections;
};

// Everything that the tree says, taken at one moment.
struct SysFacts {
  std::string version;
  std::string built;  // the day
  Seconds uptime{0};
  broker::Counters counters;
  broker::Holdings holdings;
  uint64_t sessions = 0;
  uint64_t subscriptions = 0;  // without the shared ones
  uint64_t shared_subscriptions = 0;
  uint64_t retained_messages = 0;
  uint64_t retained_bytes = 0;
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;
  uint64_t sockets_opened = 0;
  uint64_t connections_refused = 0;  // closed at once, without a word
  uint64_t refused_address = 0;      // of them: not allowed
  uint64_t refused_per_address = 0;  // too many of one address
  uint64_t refused_rate = 0;
  uint64_t refused_silent = 0;
  uint64_t logins_failed = 0;
  uint64_t logins_delayed = 0;
  uint64_t logins_refused = 0;
  uint64_t log_lines_dropped = 0;
  uint64_t inbound_dropped = 0;  // QoS 0 from remotes that came faster than the core took it
  uint64_t heap_bytes = 0;
  uint64_t heap_bytes_max = 0;
  Loads loads;
  std::vector<BridgeFacts> bridges;
};

// All that was dropped on the LAN side, of every cause.
[[nodiscard]] uint64_t dropped(const SysFacts& facts);
// Takes the facts' totals into their averages.
void update(Loads& loads, const SysFacts& facts, Millis elapsed);

// One row of the page. `name` may have NAME and CAUSE in it: then it stands for one topic per bridge and cause.
struct SysTopic {
  std::string name;  // below $SYS/broker/
  bool of_mosquitto = true;
  std::string meaning;
  std::function<std::string(const SysFacts&)> value;                              // of the gateway's
  std::function<std::string(const BridgeFacts&)> value_of_bridge = {};            // of those with NAME
  std::function<uint64_t(const BridgeFacts&, size_t cause)> value_of_cause = {};  // of those with NAME and CAUSE
};
[[nodiscard]] const std::vector<SysTopic>& sys_topics();

using TopicValues = std::map<std::string, std::string>;
// Every topic with its value now.
[[nodiscard]] TopicValues sys_values(const SysFacts& facts);
// What has to be published so that `published` becomes `wanted`; an empty value takes a topic back.
[[nodiscard]] TopicValues differences(const TopicValues& published, const TopicValues& wanted);

// SYS-TOPICS.md.
[[nodiscard]] std::string sys_markdown();

}  // namespace tidegate::status
