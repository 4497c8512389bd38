// The rules that need more than one field or a table of the standard; decode_*.cpp reads, this judges.
#pragma once

#include <optional>
#include <string_view>

#include "gateway/base/bytes.h"
#include "gateway/mqtt/decode.h"
#include "gateway/mqtt/property_table.h"

namespace tidegate::mqtt {

// `wire`: properties without their length prefix. An id that is unknown or does not belong there, and a value that is
// not of its type: 0x81. A forbidden repeat or a value out of range, a response topic with wildcards too: 0x82 (topic
// alias 0: 0x94).
[[nodiscard]] Decoded<Properties> validate_properties(std::string_view wire, PropertyHome home);

// The length prefix and the properties behind it.
[[nodiscard]] Decoded<Properties> read_properties(ByteReader& in, PropertyHome home);

// Whether a 5.0 packet of that type may carry that reason code.
[[nodiscard]] bool reason_allowed(PacketType type, uint8_t code);

// Flags of the fixed header for all packets but PUBLISH, and the form of its length; empty if they are as they must be.
// Before 3.1.1 the flags had other meanings (DUP) or none and are not looked at.
[[nodiscard]] std::optional<DecodeError> header_error(const Frame& frame, Version version);

// 5.0: the remaining length takes the fewest bytes that it can [MQTT-1.5.5-1]; older versions do not ask for that.
[[nodiscard]] std::optional<DecodeError> length_error(const Frame& frame, Version version);

// Why `topic` is no topic name; `what` names [MQTT-1.5.4-1], [MQTT-4.7.3-1] or [MQTT-3.3.2-2].
// REQUIRES: TopicName::parse refused it
[[nodiscard]] DecodeError topic_error(std::string_view topic);

}  // namespace tidegate::mqtt
