// What one bridge is told to do. Plain data with defaults; the app fills it from the configuration, whose types end there.
//
// Texts are final: placeholders replaced, secrets read, defaults that depend on other values ({gateway}.{bridge}) filled in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/base/message.h"
#include "gateway/base/time.h"

namespace tidegate::bridge {

enum class StartType : uint8_t { automatic, off };
enum class ProtocolVersion : uint8_t { automatic, v5, v311 };  // automatic: 5.0, and 3.1.1 where that is refused
enum class Direction : uint8_t { out, in, both };
enum class RetainPolicy : uint8_t { keep, clear };

// One line of Mosquitto's `topic`: local is exactly local_prefix + topic, remote exactly remote_prefix + topic.
// An empty topic maps the two prefixes, which are then whole topics, onto each other.
struct Rule {
  std::string topic{};  // a filter; see topic_map.h for what is valid
  Direction direction = Direction::out;
  Qos qos = Qos::at_least_once;  // messages leave at the lower of this and their own
  std::string local_prefix{};
  std::string remote_prefix{};
  bool queue_qos0 = false;  // a QoS 0 message is kept as well, and sent at QoS 1 (if `qos` is not 0)
  RetainPolicy retain = RetainPolicy::keep;
  friend bool operator==(const Rule&, const Rule&) = default;
};

struct Address {
  std::string host;  // a name, or an IP address without brackets
  uint16_t port = 1883;
  friend bool operator==(const Address&, const Address&) = default;
};

struct TlsOptions {
  bool enabled = false;
  std::string ca_file, ca_path;     // both empty: the system's roots
  std::string cert_file, key_file;  // of this gateway; empty: none
  std::string key_password;
  bool verify_host = true;  // the certificate must be for the address's host
  std::vector<std::string> alpn;
  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

// Decorrelated jitter between tries. Back to `base` only after the link was connected for stable_after and the remote
// acknowledged something (or there was nothing to acknowledge), so that a peer which accepts and then cuts is not hammered.
struct RestartTimeout {
  Millis base{1000};
  Millis cap{120'000};
  Millis stable_after{30'000};
  friend bool operator==(const RestartTimeout&, const RestartTimeout&) = default;
};

struct QueueLimits {
  uint64_t max_bytes = 1ull << 30;
  uint64_t max_messages = UINT64_MAX;
  uint32_t alarm_percent = 80;  // of either limit
  friend bool operator==(const QueueLimits&, const QueueLimits&) = default;
};

struct Options {
  std::string name;
  StartType start_type = StartType::automatic;
  std::vector<Address> addresses;  // tried in order, from the first on at each reconnect; at least one
  ProtocolVersion protocol_version = ProtocolVersion::automatic;
  std::string client_id;
  std::string username, password;  // both empty: none sent
  bool clean_session = false;      // of the remote session
  Seconds keepalive{60};           // 5 s to 18 h
  TlsOptions tls;
  RestartTimeout restart_timeout;
  Millis connect_timeout{30'000};      // TCP, TLS and CONNACK together, per address
  Millis name_lookup_timeout{10'000};  // per address
  Millis stall_timeout{60'000};        // sent, nothing acknowledged for this long: the link is closed and opened anew
  uint32_t window = 100;  // unacknowledged at a time; also held below the remote's Receive Maximum; 1 to 1000
  std::vector<Rule> rules;
  QueueLimits queue;
  // "1" (retained) on the remote when connected, "0" by will and at an orderly stop.
  bool notifications = true;
  bool notifications_local_only =
      false;                       // then nothing is sent to the remote; the app publishes the local topic in any case
  std::string notification_topic;  // empty: none on the remote
  // QoS 0 messages wait here between the core and the link, only while connected.
  uint32_t qos0_lane_messages = 1000;
  uint64_t qos0_lane_bytes = 4u << 20;
  friend bool operator==(const Options&, const Options&) = default;
};

}  // namespace tidegate::bridge
