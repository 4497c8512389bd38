// MQTT 5.0 properties (2.2.2): read in place from their wire form, written to a byte string.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tidegate::mqtt {

enum class PropertyId : uint8_t {
  payload_format_indicator = 0x01,           // byte
  message_expiry_interval = 0x02,            // u32, s
  content_type = 0x03,                       // string
  response_topic = 0x08,                     // string
  correlation_data = 0x09,                   // binary
  subscription_identifier = 0x0B,            // varint, may stand more than once
  session_expiry_interval = 0x11,            // u32, s
  assigned_client_identifier = 0x12,         // string
  server_keep_alive = 0x13,                  // u16, s
  authentication_method = 0x15,              // string
  authentication_data = 0x16,                // binary
  request_problem_information = 0x17,        // byte
  will_delay_interval = 0x18,                // u32, s
  request_response_information = 0x19,       // byte
  response_information = 0x1A,               // string
  server_reference = 0x1C,                   // string
  reason_string = 0x1F,                      // string
  receive_maximum = 0x21,                    // u16
  topic_alias_maximum = 0x22,                // u16
  topic_alias = 0x23,                        // u16
  maximum_qos = 0x24,                        // byte
  retain_available = 0x25,                   // byte
  user_property = 0x26,                      // string pair, may stand more than once
  maximum_packet_size = 0x27,                // u32
  wildcard_subscription_available = 0x28,    // byte
  subscription_identifier_available = 0x29,  // byte
  shared_subscription_available = 0x2A,      // byte
};

// A view of properties that a decoder has validated: known ids, allowed in their packet, no repeats where the standard
// forbids them, values in range, strings well-formed. Lookups scan; packets carry few.
class Properties {
 public:
  // `wire`: the properties without their length prefix. Made by validate_properties, or empty.
  Properties() = default;
  [[nodiscard]] static Properties of_valid_wire(std::string_view wire) {
    Properties p;
    p.wire_ = wire;
    return p;
  }

  [[nodiscard]] bool empty() const { return wire_.empty(); }
  [[nodiscard]] std::string_view wire() const { return wire_; }
  // byte, u16, u32 and varint values alike; the first one of that id.
  [[nodiscard]] std::optional<uint32_t> integer(PropertyId id) const;
  // string and binary values alike.
  [[nodiscard]] std::optional<std::string_view> text(PropertyId id) const;

  // One property: `number` for integers, `text` for strings and binary, `text` and `second` for a string pair.
  // `wire` is the whole property, id included.
  struct Item {
    PropertyId id{};
    uint32_t number = 0;
    std::string_view text;
    std::string_view second;
    std::string_view wire;
  };
  // Takes the first property off `rest` (start with wire()). False at the end.
  [[nodiscard]] static bool next(std::string_view& rest, Item& item);

 private:
  std::string_view wire_;
};

// Appends properties in wire form, without the length prefix, to a string of the caller.
class PropertyWriter {
 public:
  explicit PropertyWriter(std::string& out) : out_(out) {}
  PropertyWriter& integer(PropertyId id, uint32_t value);  // width by id (2.2.2.2)
  PropertyWriter& text(PropertyId id, std::string_view value);
  PropertyWriter& user(std::string_view name, std::string_view value);

 private:
  std::string& out_;
};

// The part of a PUBLISH's or will's properties that travels on with the message (see Message::properties), appended
// to `out`. Does not take message expiry, topic alias, subscription identifiers or will delay.
void append_forwarded(Properties from, std::string& out);

}  // namespace tidegate::mqtt
