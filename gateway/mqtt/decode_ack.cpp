// PUBACK (3.4), PUBREC (3.5), PUBREL (3.6), PUBCOMP (3.7): one form for all four.
#include "gateway/base/result.h"
#include "gateway/mqtt/decode.h"
#include "gateway/mqtt/validate.h"
#include "gateway/mqtt/wire_reader.h"

namespace tidegate::mqtt {
namespace {

std::string_view reason_clause(PacketType type) {
  switch (type) {
    case PacketType::puback: return "not a reason code of PUBACK [MQTT-3.4.2-1]";
    case PacketType::pubrec: return "not a reason code of PUBREC [MQTT-3.5.2-1]";
    case PacketType::pubrel: return "not a reason code of PUBREL [MQTT-3.6.2-1]";
    default: return "not a reason code of PUBCOMP [MQTT-3.7.2-1]";
  }
}

}  // namespace

Decoded<Ack> decode_ack(const Frame& frame, Version version) {
  Ack ack;
  ack.type = type_of(frame.first);
  TIDEGATE_CHECK(ack.type >= PacketType::puback && ack.type <= PacketType::pubcomp);
  if (auto bad = header_error(frame, version)) return tl::unexpected(*bad);

  ByteReader in(frame.body);
  ack.packet_id = in.integer<uint16_t>();
  if (!in.ok()) return malformed(kEndsEarly);
  if (ack.packet_id == 0) return protocol_error(kPacketIdZero);
  if (in.remaining() == 0) return ack;
  if (version != Version::v5) return malformed(kBytesLeft);

  auto reason = in.integer<uint8_t>();
  if (!reason_allowed(ack.type, reason)) return protocol_error(reason_clause(ack.type));
  ack.reason = ReasonCode{reason};
  if (in.remaining() == 0) return ack;  // 3.4.2.2.1: no property length below a remaining length of 4
  auto properties = read_properties(in, home_of(ack.type));
  if (!properties) return tl::unexpected(properties.error());
  if (in.remaining() > 0) return malformed(kBytesLeft);
  ack.properties = *properties;
  return ack;
}

}  // namespace tidegate::mqtt
