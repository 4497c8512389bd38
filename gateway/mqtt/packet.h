// MQTT control packets as plain data, for all versions: 3.1 (level 3), 3.1.1 (4), 5.0 (5).
//
// Decoded packets are views into the bytes they were decoded from and live no longer than those. Clause numbers name
// the section of MQTT 5.0; 3.1.1 uses the same section numbers for everything but AUTH.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/base/message.h"
#include "gateway/mqtt/properties.h"
#include "gateway/mqtt/reason_code.h"

namespace tidegate::mqtt {

enum class Version : uint8_t { v3_1 = 3, v3_1_1 = 4, v5 = 5 };

enum class PacketType : uint8_t {
  connect = 1,
  connack,
  publish,
  puback,
  pubrec,
  pubrel,
  pubcomp,
  subscribe,
  suback,
  unsubscribe,
  unsuback,
  pingreq,
  pingresp,
  disconnect,
  auth
};

using PacketId = uint16_t;  // 1..65535; 0 where a packet has none

struct Will {
  std::string_view topic;  // a valid topic name
  std::string_view payload;
  Qos qos = Qos::at_most_once;
  bool retain = false;
  Properties properties;
};

// 3.1. `bridge`: the protocol level had its high bit set (0x83, 0x84): another broker's bridge, which wants no echo and
// retained flags kept.
struct Connect {
  Version version = Version::v3_1_1;
  bool bridge = false;
  bool clean_start = true;
  uint16_t keep_alive_seconds = 0;  // 0: never
  std::string_view client_id;
  std::optional<Will> will;
  std::optional<std::string_view> username;
  std::optional<std::string_view> password;
  Properties properties;
};

struct Connack {  // 3.2
  bool session_present = false;
  uint8_t code = 0;  // 5.0: a ReasonCode; before: 0..5 (3.1.1, 3.2.2.3)
  Properties properties;
};

struct Publish {           // 3.3
  std::string_view topic;  // a valid topic name; empty only in 5.0 with a topic alias
  std::string_view payload;
  Qos qos = Qos::at_most_once;
  bool dup = false;
  bool retain = false;
  PacketId packet_id = 0;
  Properties properties;
};

struct Ack {  // 3.4 PUBACK, 3.5 PUBREC, 3.6 PUBREL, 3.7 PUBCOMP
  PacketType type = PacketType::puback;
  PacketId packet_id = 0;
  ReasonCode reason = ReasonCode::success;
  Properties properties;
};

enum class RetainHandling : uint8_t { send = 0, send_if_new = 1, never = 2 };

struct SubscribeOptions {  // 3.8.3.1
  Qos qos = Qos::at_most_once;
  bool no_local = false;
  bool retain_as_published = false;
  RetainHandling retain_handling = RetainHandling::send;
  friend bool operator==(const SubscribeOptions&, const SubscribeOptions&) = default;
};

struct Subscribe {  // 3.8
  struct Entry {
    std::string_view filter;  // a well-formed UTF-8 string, not yet checked as a filter
    SubscribeOptions options;
  };
  PacketId packet_id = 0;
  std::vector<Entry> entries;  // at least one [MQTT-3.8.3-2]
  Properties properties;
};

struct Suback {  // 3.9; also UNSUBACK (3.11) of 5.0
  PacketType type = PacketType::suback;
  PacketId packet_id = 0;
  std::string_view codes;  // one byte for each entry; empty in an UNSUBACK before 5.0
  Properties properties;
};

struct Unsubscribe {  // 3.10
  PacketId packet_id = 0;
  std::vector<std::string_view> filters;  // at least one
  Properties properties;
};

struct Pingreq {};   // 3.12
struct Pingresp {};  // 3.13

struct Disconnect {  // 3.14
  ReasonCode reason = ReasonCode::success;
  Properties properties;
};

struct Auth {  // 3.15, 5.0 only
  ReasonCode reason = ReasonCode::success;
  Properties properties;
};

using Packet =
    std::variant<Connect, Connack, Publish, Ack, Subscribe, Suback, Unsubscribe, Pingreq, Pingresp, Disconnect, Auth>;

}  // namespace tidegate::mqtt
