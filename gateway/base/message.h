// An application message on its way through the gateway: immutable once shared, so that any number of receivers and
// threads may hold it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "gateway/base/ids.h"
#include "gateway/base/time.h"

namespace tidegate {

enum class Qos : uint8_t { at_most_once = 0, at_least_once = 1, exactly_once = 2 };

[[nodiscard]] constexpr Qos lower(Qos a, Qos b) {
  return a < b ? a : b;
}

struct Message {
  std::string topic;  // a valid topic name
  std::string payload;
  // MQTT 5.0 properties that travel with the message, in wire form without their length prefix: payload format
  // indicator, response topic, correlation data, content type, user properties, in the publisher's order [MQTT-3.3.2-17].
  std::string properties;
  Qos qos = Qos::at_most_once;
  bool retain = false;                   // as the publisher sent it
  WallTime expires = WallTime::never();  // message expiry (5.0, 3.3.2.3.3)
  WallTime received{};                   // when the gateway took it
  BridgeId from_bridge{};                // came down over this bridge: never goes up over it again; never stored
  std::string share{};                   // of a record: the shared subscription that it is owed to, $share/GROUP/FILTER
};

using MessagePtr = std::shared_ptr<const Message>;

// What a message counts for in limits: its variable parts and a fixed share for the rest.
[[nodiscard]] inline uint64_t counted_bytes(const Message& m) {
  return m.topic.size() + m.payload.size() + m.properties.size() + 32;
}

}  // namespace tidegate
