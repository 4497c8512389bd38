#include "gateway/bridge_status.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace tidegate {
namespace {

using nlohmann::ordered_json;

int64_t seconds_between(WallTime from, WallTime to) {
  return std::max<int64_t>(0, std::chrono::duration_cast<Seconds>(to - from).count());
}

// Echoes are no loss.
std::vector<std::pair<std::string_view, uint64_t>> causes_of(const bridge::DropCounts& dropped) {
  return {{"queue_full", dropped.queue_full},
          {"expired", dropped.expired},
          {"rejected", dropped.rejected},
          {"too_large", dropped.too_large},
          {"unreadable", dropped.unreadable},
          {"qos0_link_down", dropped.qos0_link_down},
          {"qos0_lane_full", dropped.qos0_lane_full},
          {"no_local_topic", dropped.no_local_topic}};
}

}  // namespace

std::string_view condition_of(const bridge::BridgeStatus& status) {
  switch (status.state) {
    case bridge::LinkState::stopped: return "stopped";
    case bridge::LinkState::refused: return "uplink_refused";
    case bridge::LinkState::connecting:
    case bridge::LinkState::waiting: return "uplink_down";
    case bridge::LinkState::connected: break;
  }
  if (status.stalled) return "uplink_stalled";
  return status.queue_messages > status.in_flight ? "draining" : "all_well";
}

std::string status_json(const bridge::BridgeStatus& status, WallTime now) {
  ordered_json json;
  json["bridge"] = status.name;
  json["condition"] = condition_of(status);
  json["state"] = bridge::word(status.state);
  json["since_seconds"] = seconds_between(status.since, now);
  json["address"] = status.address;
  if (status.next_try != WallTime::never()) json["next_try_seconds"] = seconds_between(now, status.next_try);
  json["queue_messages"] = status.queue_messages;
  json["queue_bytes"] = status.queue_bytes;
  if (status.oldest != WallTime::never()) json["oldest_age_seconds"] = seconds_between(status.oldest, now);
  json["queue_alarm"] = status.queue_alarm;
  json["in_flight"] = status.in_flight;
  json["delivered"] = status.delivered;
  json["sent_qos0"] = status.sent_qos0;
  json["received"] = status.received;
  json["possible_duplicates"] = status.possible_duplicates;
  uint64_t dropped = 0;
  ordered_json by_cause;
  for (const auto& [cause, count] : causes_of(status.dropped)) {
    dropped += count;
    by_cause[std::string(cause)] = count;
  }
  json["dropped"] = dropped;
  json["dropped_by_cause"] = by_cause;
  json["counting_since_seconds"] = seconds_between(status.counting_since, now);
  if (status.last_error.step != bridge::Step::none) {
    json["last_error"] = {{"step", bridge::word(status.last_error.step)},
                          {"code", status.last_error.code},
                          {"text", status.last_error.text},
                          {"age_seconds", seconds_between(status.last_error.at, now)}};
  }
  // Texts of remotes may be anything; what is not UTF-8 is replaced, never thrown over.
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

status::BridgeFacts facts_of(const bridge::BridgeStatus& status, WallTime now) {
  status::BridgeFacts facts;
  facts.name = status.name;
  facts.state = bridge::word(status.state);
  facts.queue_messages = status.queue_messages;
  facts.queue_bytes = status.queue_bytes;
  if (status.oldest != WallTime::never()) facts.oldest_age = Seconds{seconds_between(status.oldest, now)};
  facts.delivered = status.delivered;
  facts.dropped = causes_of(status.dropped);
  if (status.last_error.step != bridge::Step::none) {
    facts.last_error = std::string(bridge::word(status.last_error.step)) + ": " + status.last_error.text;
  }
  return facts;
}

}  // namespace tidegate
