// Bytes to packets. Total: any frame gives a packet or the reason code to answer with.
#pragma once

#include <string_view>
#include <tl/expected.hpp>

#include "gateway/mqtt/framer.h"
#include "gateway/mqtt/packet.h"

namespace tidegate::mqtt {

// `what` is a fixed sentence for the log that names the clause broken, for example "reserved flags set [MQTT-3.8.1-1]".
struct DecodeError {
  ReasonCode reason = ReasonCode::malformed_packet;
  std::string_view what;
};

template <class T>
using Decoded = tl::expected<T, DecodeError>;

// The first packet of a connection. Unknown protocol names and levels: unsupported_protocol_version. Accepts MQIsdp 3,
// MQTT 4 and 5, and 3 and 4 with the bridge bit (0x83, 0x84).
[[nodiscard]] Decoded<Connect> decode_connect(const Frame& frame);

// Whether it says of itself that it is a CONNECT of 5.0, whatever else is wrong with it.
[[nodiscard]] bool names_v5(const Frame& frame);

// Every other packet, in the version that CONNECT settled. A CONNECT here is a protocol error [MQTT-3.1.0-2].
// Decodes packets of both directions; what a server must not be sent is the caller's matter.
[[nodiscard]] Decoded<Packet> decode(const Frame& frame, Version version);

// PUBLISH alone, without the variant: the hot path of decode().
[[nodiscard]] Decoded<Publish> decode_publish(const Frame& frame, Version version);
// PUBACK, PUBREC, PUBREL, PUBCOMP alone.
[[nodiscard]] Decoded<Ack> decode_ack(const Frame& frame, Version version);

}  // namespace tidegate::mqtt
