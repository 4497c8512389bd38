// CONNECT (3.1) and CONNACK (3.2).
#include "gateway/base/topic.h"
#include "gateway/mqtt/decode.h"
#include "gateway/mqtt/decoders.h"
#include "gateway/mqtt/validate.h"
#include "gateway/mqtt/wire_reader.h"

namespace tidegate::mqtt {
namespace {

enum Flag : uint8_t {
  reserved = 0x01,
  clean_start = 0x02,
  will = 0x04,
  will_retain = 0x20,
  password = 0x40,
  username = 0x80
};

constexpr uint8_t kBridgeBit = 0x80;

unsigned will_qos(uint8_t flags) {
  return (flags >> 3) & 0x03;
}

// False for a protocol that nobody here speaks.
bool settle_version(std::string_view protocol, uint8_t level, Connect& c) {
  c.bridge = (level & kBridgeBit) && level != (kBridgeBit | 5);
  uint8_t plain = c.bridge ? level & ~kBridgeBit : level;
  if (protocol == "MQTT" && (plain == 4 || plain == 5)) {
    c.version = Version{plain};
    return true;
  }
  c.version = Version::v3_1;
  return protocol == "MQIsdp" && plain == 3;
}

// 3.1.2.3..9. Version 3.1 disregards the reserved bit, and the will's bits where there is no will.
std::optional<DecodeError> flags_error(uint8_t flags, Version version) {
  auto malformed_flags = [](std::string_view what) { return DecodeError{ReasonCode::malformed_packet, what}; };
  if ((flags & Flag::will) && will_qos(flags) == 3) return malformed_flags("will QoS 3 [MQTT-3.1.2-12]");
  if (version != Version::v5 && (flags & Flag::password) && !(flags & Flag::username))
    return malformed_flags("password without user name [MQTT-3.1.2-22 of 3.1.1]");
  if (version == Version::v3_1) return {};
  if (flags & Flag::reserved) return malformed_flags("reserved connect flag set [MQTT-3.1.2-3]");
  if (flags & Flag::will) return {};
  if (will_qos(flags) != 0) return malformed_flags("will QoS without a will [MQTT-3.1.2-11]");
  if (flags & Flag::will_retain) return malformed_flags("will retain without a will [MQTT-3.1.2-13]");
  return {};
}

// A UTF-8 string; `error` is the sentence for one that is not well-formed.
std::optional<DecodeError> read_string(ByteReader& in, std::string_view error, std::string_view& out) {
  out = read_binary(in);
  if (!in.ok()) return DecodeError{ReasonCode::malformed_packet, kEndsEarly};
  if (!is_valid_utf8_string(out)) return DecodeError{ReasonCode::malformed_packet, error};
  return {};
}

Decoded<Will> read_will(ByteReader& in, uint8_t flags, Version version) {
  Will w;
  w.qos = static_cast<Qos>(will_qos(flags));
  w.retain = flags & Flag::will_retain;
  if (version == Version::v5) {
    auto properties = read_properties(in, PropertyHome::will);
    if (!properties) return tl::unexpected(properties.error());
    w.properties = *properties;
  }
  w.topic = read_binary(in);
  w.payload = read_binary(in);
  if (!in.ok()) return malformed(kEndsEarly);
  if (!TopicName::parse(w.topic)) return tl::unexpected(topic_error(w.topic));
  return w;
}

// 3.1.3.5, 3.1.3.6. In 3.1 the remaining length goes before the flags: a flagged field may be missing at the end.
std::optional<DecodeError> read_credentials(ByteReader& in, uint8_t flags, Connect& c) {
  auto stands = [&](uint8_t flag) { return (flags & flag) && !(c.version == Version::v3_1 && in.remaining() == 0); };
  if (stands(Flag::username)) {
    auto bad = read_string(in, "user name is not well-formed UTF-8 [MQTT-3.1.3-12]", c.username.emplace());
    if (bad) return bad;
  }
  if (stands(Flag::password)) {
    c.password = read_binary(in);
    if (!in.ok()) return DecodeError{ReasonCode::malformed_packet, kEndsEarly};
  }
  return {};
}

// 3.1.2.11
Decoded<Properties> read_connect_properties(ByteReader& in) {
  auto properties = read_properties(in, PropertyHome::connect);
  if (properties && properties->text(PropertyId::authentication_data) &&
      !properties->text(PropertyId::authentication_method))
    return protocol_error("authentication data without a method (3.1.2.11.10)");
  return properties;
}

std::optional<DecodeError> read_payload(ByteReader& in, uint8_t flags, Connect& c) {
  auto bad = read_string(in, "client identifier is not well-formed UTF-8 [MQTT-3.1.3-4]", c.client_id);
  if (bad) return bad;
  if (flags & Flag::will) {
    auto read = read_will(in, flags, c.version);
    if (!read) return read.error();
    c.will = *read;
  }
  bad = read_credentials(in, flags, c);
  if (bad) return bad;
  if (in.remaining() > 0) return DecodeError{ReasonCode::malformed_packet, kBytesLeft};
  return {};
}

}  // namespace

Decoded<Connect> decode_connect(const Frame& frame) {
  if (type_of(frame.first) != PacketType::connect) return protocol_error("first packet is not CONNECT [MQTT-3.1.0-1]");
  Connect c;
  ByteReader in(frame.body);
  std::string_view protocol = read_binary(in);
  auto level = in.integer<uint8_t>();
  if (!in.ok()) return malformed(kEndsEarly);
  if (!settle_version(protocol, level, c))
    return tl::unexpected(
        DecodeError{ReasonCode::unsupported_protocol_version, "unknown protocol name or level [MQTT-3.1.2-2]"});
  if (auto bad = header_error(frame, c.version)) return tl::unexpected(*bad);

  auto flags = in.integer<uint8_t>();
  c.keep_alive_seconds = in.integer<uint16_t>();
  if (!in.ok()) return malformed(kEndsEarly);
  if (auto bad = flags_error(flags, c.version)) return tl::unexpected(*bad);
  c.clean_start = flags & Flag::clean_start;
  if (c.version == Version::v5) {
    auto properties = read_connect_properties(in);
    if (!properties) return tl::unexpected(properties.error());
    c.properties = *properties;
  }
  if (auto bad = read_payload(in, flags, c)) return tl::unexpected(*bad);
  return c;
}

bool names_v5(const Frame& frame) {
  ByteReader in(frame.body);
  return type_of(frame.first) == PacketType::connect && read_binary(in) == "MQTT" && in.integer<uint8_t>() == 5;
}

Decoded<Connack> decode_connack(const Frame& frame, Version version) {
  if (auto bad = header_error(frame, version)) return tl::unexpected(*bad);
  ByteReader in(frame.body);
  auto flags = in.integer<uint8_t>();
  Connack c;
  c.code = in.integer<uint8_t>();
  if (!in.ok()) return malformed(kEndsEarly);
  if (version != Version::v3_1) {  // 3.1 has no use for that byte
    if (flags & ~0x01) return malformed("reserved connect acknowledge flags set [MQTT-3.2.2-1]");
    c.session_present = flags & 0x01;
    if (c.session_present && c.code != 0) return protocol_error("session present in a refusal [MQTT-3.2.2-6]");
  }
  if (version != Version::v5) {
    if (c.code > 5) return malformed("reserved connect return code (3.2.2.3 of 3.1.1)");
  } else {
    if (!reason_allowed(PacketType::connack, c.code))
      return protocol_error("not a reason code of CONNACK [MQTT-3.2.2-8]");
    auto properties = read_properties(in, PropertyHome::connack);
    if (!properties) return tl::unexpected(properties.error());
    c.properties = *properties;
  }
  if (in.remaining() > 0) return malformed(kBytesLeft);
  return c;
}

}  // namespace tidegate::mqtt
