// Packets to bytes, appended to a string of the caller. Properties are left out before 5.0.
#pragma once

#include <string>

#include "gateway/mqtt/packet.h"

namespace tidegate::mqtt {

void encode(const Connect& packet, std::string& out);
void encode(const Connack& packet, Version version, std::string& out);
void encode(const Publish& packet, Version version, std::string& out);
// 5.0: two-byte form for success without properties (3.4.2.1); before 5.0: the reason is left out.
void encode(const Ack& packet, Version version, std::string& out);
void encode(const Subscribe& packet, Version version, std::string& out);
void encode(const Suback& packet, Version version, std::string& out);
void encode(const Unsubscribe& packet, Version version, std::string& out);
void encode(const Pingreq& packet, std::string& out);
void encode(const Pingresp& packet, std::string& out);
void encode(const Disconnect& packet, Version version, std::string& out);  // before 5.0: a client's two bytes
void encode(const Auth& packet, std::string& out);

// The head of a PUBLISH, up to where the payload begins, so that a large payload can be shared instead of copied.
// Properties, in order: `first`, then `second` (wire forms without length); ignored before 5.0.
struct PublishHead {
  std::string_view topic;
  size_t payload_size = 0;
  Qos qos = Qos::at_most_once;
  bool dup = false;
  bool retain = false;
  PacketId packet_id = 0;
  std::string_view properties_first;
  std::string_view properties_second;
};
void encode_head(const PublishHead& head, Version version, std::string& out);

// Size of the whole packet that encode_head and its payload give, for a peer's Maximum Packet Size.
[[nodiscard]] size_t encoded_size(const PublishHead& head, Version version);

// Variable byte integer (1.5.5), at most 268,435,455.
void append_varint(uint32_t value, std::string& out);
[[nodiscard]] constexpr size_t varint_size(uint32_t value) {
  return value < 128 ? 1 : value < 16384 ? 2 : value < 2097152 ? 3 : 4;
}

}  // namespace tidegate::mqtt
