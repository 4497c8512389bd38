// PUBLISH (3.3): the hot path; nothing here allocates.
#include "gateway/base/result.h"
#include "gateway/base/topic.h"
#include "gateway/mqtt/decode.h"
#include "gateway/mqtt/validate.h"
#include "gateway/mqtt/wire_reader.h"

namespace tidegate::mqtt {
namespace {

// 3.3.2.1: an empty topic name stands for the alias beside it.
bool names_an_alias(const Publish& p) {
  return p.topic.empty() && p.properties.integer(PropertyId::topic_alias);
}

}  // namespace

Decoded<Publish> decode_publish(const Frame& frame, Version version) {
  TIDEGATE_CHECK(type_of(frame.first) == PacketType::publish);
  if (auto bad = length_error(frame, version)) return tl::unexpected(*bad);

  Publish p;
  p.dup = frame.first & 0x08;
  p.retain = frame.first & 0x01;
  const unsigned qos = (frame.first >> 1) & 0x03;
  if (qos == 3) return malformed("QoS 3 [MQTT-3.3.1-4]");
  if (qos == 0 && p.dup) return malformed("DUP in a QoS 0 PUBLISH [MQTT-3.3.1-2]");
  p.qos = static_cast<Qos>(qos);

  ByteReader in(frame.body);
  p.topic = read_binary(in);
  if (qos > 0) p.packet_id = in.integer<uint16_t>();
  if (!in.ok()) return malformed(kEndsEarly);
  if (qos > 0 && p.packet_id == 0) return protocol_error(kPacketIdZero);
  if (version == Version::v5) {
    auto properties = read_properties(in, PropertyHome::publish);
    if (!properties) return tl::unexpected(properties.error());
    p.properties = *properties;
  }
  if (!TopicName::parse(p.topic) && !names_an_alias(p)) return tl::unexpected(topic_error(p.topic));
  p.payload = in.rest();
  return p;
}

}  // namespace tidegate::mqtt
