// SUBSCRIBE (3.8), SUBACK (3.9), UNSUBSCRIBE (3.10), UNSUBACK (3.11).
#include "gateway/base/topic.h"
#include "gateway/mqtt/decoders.h"
#include "gateway/mqtt/validate.h"
#include "gateway/mqtt/wire_reader.h"

namespace tidegate::mqtt {
namespace {

struct Head {
  PacketId packet_id = 0;
  Properties properties;
};

// What all four begin with: packet identifier, and properties in 5.0.
Decoded<Head> read_head(const Frame& frame, Version version, ByteReader& in) {
  if (auto bad = header_error(frame, version)) return tl::unexpected(*bad);
  Head head;
  head.packet_id = in.integer<uint16_t>();
  if (!in.ok()) return malformed(kEndsEarly);
  if (head.packet_id == 0) return protocol_error(kPacketIdZero);
  if (version == Version::v5) {
    auto properties = read_properties(in, home_of(type_of(frame.first)));
    if (!properties) return tl::unexpected(properties.error());
    head.properties = *properties;
  }
  return head;
}

// 3.8.3 of 3.1.1: the requested QoS and nothing else; 3.1 does not look at the six other bits.
Decoded<SubscribeOptions> options_before_v5(uint8_t byte, Version version) {
  if (version == Version::v3_1) byte &= 0x03;
  if (byte > 2) return malformed("requested QoS is not 0, 1 or 2 [MQTT-3.8.3-4 of 3.1.1]");
  SubscribeOptions options;
  options.qos = Qos{byte};
  return options;
}

Decoded<SubscribeOptions> options_of_v5(uint8_t byte, std::string_view filter) {
  const unsigned qos = byte & 0x03, retain_handling = (byte >> 4) & 0x03;
  if (byte & 0xC0) return malformed("reserved subscription options set [MQTT-3.8.3-5]");
  if (qos == 3) return protocol_error("maximum QoS 3 (3.8.3.1)");
  if (retain_handling == 3) return protocol_error("retain handling 3 (3.8.3.1)");
  SubscribeOptions options;
  options.qos = static_cast<Qos>(qos);
  options.no_local = byte & 0x04;
  options.retain_as_published = byte & 0x08;
  options.retain_handling = static_cast<RetainHandling>(retain_handling);
  if (options.no_local && filter.starts_with("$share/"))
    return protocol_error("no local on a shared subscription [MQTT-3.8.3-4]");
  return options;
}

Decoded<Subscribe::Entry> read_entry(ByteReader& in, Version version) {
  Subscribe::Entry entry;
  entry.filter = read_binary(in);
  auto byte = in.integer<uint8_t>();
  if (!in.ok()) return malformed(kEndsEarly);
  if (!is_valid_utf8_string(entry.filter)) return malformed("topic filter is not well-formed UTF-8 [MQTT-3.8.3-1]");
  auto options = version == Version::v5 ? options_of_v5(byte, entry.filter) : options_before_v5(byte, version);
  if (!options) return tl::unexpected(options.error());
  entry.options = *options;
  return entry;
}

std::optional<DecodeError> codes_error(PacketType type, std::string_view codes, Version version) {
  const bool unsuback = type == PacketType::unsuback;
  if (codes.empty()) return DecodeError{ReasonCode::protocol_error, "no reason codes (3.9.3, 3.11.3)"};
  for (char c : codes) {
    auto code = static_cast<uint8_t>(c);
    if (version != Version::v5 && code > 2 && code != 0x80)
      return DecodeError{ReasonCode::malformed_packet, "reserved SUBACK return code [MQTT-3.9.3-2 of 3.1.1]"};
    if (version == Version::v5 && !reason_allowed(type, code))
      return DecodeError{ReasonCode::protocol_error, unsuback ? "not a reason code of UNSUBACK [MQTT-3.11.3-2]"
                                                              : "not a reason code of SUBACK [MQTT-3.9.3-2]"};
  }
  return {};
}

}  // namespace

Decoded<Subscribe> decode_subscribe(const Frame& frame, Version version) {
  ByteReader in(frame.body);
  auto head = read_head(frame, version, in);
  if (!head) return tl::unexpected(head.error());
  Subscribe s{head->packet_id, {}, head->properties};
  if (in.remaining() == 0) return protocol_error("SUBSCRIBE without a topic filter [MQTT-3.8.3-2]");
  while (in.remaining() > 0) {
    auto entry = read_entry(in, version);
    if (!entry) return tl::unexpected(entry.error());
    s.entries.push_back(*entry);
  }
  return s;
}

Decoded<Unsubscribe> decode_unsubscribe(const Frame& frame, Version version) {
  ByteReader in(frame.body);
  auto head = read_head(frame, version, in);
  if (!head) return tl::unexpected(head.error());
  Unsubscribe u{head->packet_id, {}, head->properties};
  if (in.remaining() == 0) return protocol_error("UNSUBSCRIBE without a topic filter [MQTT-3.10.3-2]");
  while (in.remaining() > 0) {
    std::string_view filter = read_binary(in);
    if (!in.ok()) return malformed(kEndsEarly);
    if (!is_valid_utf8_string(filter)) return malformed("topic filter is not well-formed UTF-8 [MQTT-3.10.3-1]");
    u.filters.push_back(filter);
  }
  return u;
}

Decoded<Suback> decode_suback(const Frame& frame, Version version) {
  const PacketType type = type_of(frame.first);
  ByteReader in(frame.body);
  auto head = read_head(frame, version, in);
  if (!head) return tl::unexpected(head.error());
  Suback s{type, head->packet_id, in.rest(), head->properties};
  if (type == PacketType::unsuback && version != Version::v5) {
    if (!s.codes.empty()) return malformed(kBytesLeft);
    return s;
  }
  if (auto bad = codes_error(type, s.codes, version)) return tl::unexpected(*bad);
  return s;
}

}  // namespace tidegate::mqtt
