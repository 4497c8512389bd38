// MQTT 5.0 properties that travel with a message, between Message::properties (wire form, without length prefix) and
// single items for the client library. Pure and total: any bytes give items or nothing.
//
// Known here: payload format indicator, content type, response topic, correlation data, user property (3.3.2.3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::bridge {

struct WireProperty {
  enum class Id : uint8_t {
    payload_format = 0x01,
    content_type = 0x03,
    response_topic = 0x08,
    correlation_data = 0x09,
    user = 0x26
  };
  Id id{};
  uint8_t number = 0;         // payload_format
  std::string_view text{};    // the others; name of a user property
  std::string_view second{};  // value of a user property
  friend bool operator==(const WireProperty&, const WireProperty&) = default;
};

// Nothing: not well-formed, or an id that does not travel. The views point into `wire`.
[[nodiscard]] std::optional<std::vector<WireProperty>> parse_wire_properties(std::string_view wire);
void append_wire_property(std::string& out, const WireProperty& property);

}  // namespace tidegate::bridge
