// What the decoders share: variable integers and length-prefixed bytes off a ByteReader, and the words for what is wrong.
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/base/bytes.h"
#include "gateway/mqtt/decode.h"

namespace tidegate::mqtt {

inline constexpr std::string_view kEndsEarly = "packet ends before its fields do (4.13.1)";
inline constexpr std::string_view kBytesLeft = "bytes left after the last field (4.13.1)";
inline constexpr std::string_view kPacketIdZero = "packet identifier 0 [MQTT-2.2.1-3]";

[[nodiscard]] inline tl::unexpected<DecodeError> malformed(std::string_view what) {
  return tl::unexpected(DecodeError{ReasonCode::malformed_packet, what});
}

[[nodiscard]] inline tl::unexpected<DecodeError> protocol_error(std::string_view what) {
  return tl::unexpected(DecodeError{ReasonCode::protocol_error, what});
}

// Binary data and, before its characters are checked, a string (1.5.4, 1.5.6).
[[nodiscard]] inline std::string_view read_binary(ByteReader& in) {
  return in.bytes(in.integer<uint16_t>());
}

// Variable byte integer, in the shortest form only [MQTT-1.5.5-1]; anything else fails the reader.
[[nodiscard]] inline uint32_t read_varint(ByteReader& in) {
  uint32_t value = 0;
  for (unsigned shift = 0; shift < 28; shift += 7) {
    uint8_t byte = in.integer<uint8_t>();
    value |= static_cast<uint32_t>(byte & 0x7F) << shift;
    if (byte & 0x80) continue;
    if (byte == 0 && shift > 0) break;
    return value;
  }
  in.fail();
  return 0;
}

}  // namespace tidegate::mqtt
