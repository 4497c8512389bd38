// DISCONNECT (3.14) and AUTH (3.15).
#include "gateway/mqtt/decoders.h"
#include "gateway/mqtt/validate.h"
#include "gateway/mqtt/wire_reader.h"

namespace tidegate::mqtt {

Decoded<Disconnect> decode_disconnect(const Frame& frame, Version version) {
  if (auto bad = header_error(frame, version)) return tl::unexpected(*bad);
  Disconnect d;
  ByteReader in(frame.body);
  if (in.remaining() == 0) return d;
  if (version != Version::v5) return malformed(kBytesLeft);

  auto reason = in.integer<uint8_t>();
  if (!reason_allowed(PacketType::disconnect, reason))
    return protocol_error("not a reason code of DISCONNECT [MQTT-3.14.2-1]");
  d.reason = ReasonCode{reason};
  if (in.remaining() == 0) return d;  // 3.14.2.2.1: no property length below a remaining length of 2
  auto properties = read_properties(in, PropertyHome::disconnect);
  if (!properties) return tl::unexpected(properties.error());
  if (in.remaining() > 0) return malformed(kBytesLeft);
  d.properties = *properties;
  return d;
}

Decoded<Auth> decode_auth(const Frame& frame, Version version) {
  if (version != Version::v5) return malformed("packet type 15 is reserved before 5.0 (2.2.1 of 3.1.1)");
  if (auto bad = header_error(frame, version)) return tl::unexpected(*bad);
  Auth a;
  ByteReader in(frame.body);
  if (in.remaining() == 0) return a;  // 3.15.2.1

  auto reason = in.integer<uint8_t>();
  if (!reason_allowed(PacketType::auth, reason)) return protocol_error("not a reason code of AUTH [MQTT-3.15.2-1]");
  a.reason = ReasonCode{reason};
  auto properties = read_properties(in, PropertyHome::auth);
  if (!properties) return tl::unexpected(properties.error());
  if (in.remaining() > 0) return malformed(kBytesLeft);
  if (!properties->text(PropertyId::authentication_method))
    return protocol_error("AUTH without an authentication method (3.15.2.2.2)");
  a.properties = *properties;
  return a;
}

}  // namespace tidegate::mqtt
