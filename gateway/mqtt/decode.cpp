#include "gateway/mqtt/decode.h"

#include "gateway/mqtt/decoders.h"
#include "gateway/mqtt/validate.h"
#include "gateway/mqtt/wire_reader.h"

namespace tidegate::mqtt {

Decoded<Packet> decode(const Frame& frame, Version version) {
  switch (type_of(frame.first)) {
    case PacketType::connect: return protocol_error("CONNECT on an open connection [MQTT-3.1.0-2]");
    case PacketType::connack: return decode_connack(frame, version);
    case PacketType::publish: return decode_publish(frame, version);
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp: return decode_ack(frame, version);
    case PacketType::subscribe: return decode_subscribe(frame, version);
    case PacketType::suback:
    case PacketType::unsuback: return decode_suback(frame, version);
    case PacketType::unsubscribe: return decode_unsubscribe(frame, version);
    case PacketType::pingreq:
    case PacketType::pingresp: return decode_ping(frame, version);
    case PacketType::disconnect: return decode_disconnect(frame, version);
    case PacketType::auth: return decode_auth(frame, version);
  }
  return malformed("packet type 0 is reserved (2.1.2)");
}

Decoded<Packet> decode_ping(const Frame& frame, Version version) {
  if (auto bad = header_error(frame, version)) return tl::unexpected(*bad);
  if (!frame.body.empty()) return malformed(kBytesLeft);
  if (type_of(frame.first) == PacketType::pingreq) return Packet(Pingreq{});
  return Packet(Pingresp{});
}

}  // namespace tidegate::mqtt
