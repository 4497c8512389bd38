#include "gateway/mqtt/validate.h"

#include <array>
#include <initializer_list>

#include "gateway/base/topic.h"
#include "gateway/mqtt/encode.h"
#include "gateway/mqtt/wire_reader.h"

namespace tidegate::mqtt {
namespace {

constexpr uint16_t bit(PacketType type) {
  return static_cast<uint16_t>(1u << static_cast<unsigned>(type));
}

// For each reason code the packets that may carry it (2.4 and the tables of the packets' own sections).
constexpr std::array<uint16_t, 256> make_reason_table() {
  std::array<uint16_t, 256> table{};
  auto allow = [&table](PacketType type, std::initializer_list<uint8_t> codes) {
    for (uint8_t code : codes) table[code] = static_cast<uint16_t>(table[code] | bit(type));
  };
  using enum PacketType;
  allow(connack, {0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
                  0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F});
  for (PacketType type : {puback, pubrec}) allow(type, {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99});
  for (PacketType type : {pubrel, pubcomp}) allow(type, {0x00, 0x92});
  allow(suback, {0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2});
  allow(unsuback, {0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91});
  allow(disconnect, {0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94,
                     0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2});
  allow(auth, {0x00, 0x18, 0x19});
  return table;
}

constexpr auto kReasonTable = make_reason_table();

std::optional<DecodeError> value_error(const Properties::Item& item, const PropertyTrait& trait) {
  switch (trait.type) {
    case PropertyType::string:
      if (is_valid_utf8_string(item.text)) return {};
      return DecodeError{ReasonCode::malformed_packet, "property is not well-formed UTF-8 [MQTT-1.5.4-1]"};
    case PropertyType::string_pair:
      if (is_valid_utf8_string(item.text) && is_valid_utf8_string(item.second)) return {};
      return DecodeError{ReasonCode::malformed_packet, "user property is not well-formed UTF-8 [MQTT-1.5.7-1]"};
    case PropertyType::topic:
      if (TopicName::parse(item.text)) return {};
      if (!is_valid_utf8_string(item.text))
        return DecodeError{ReasonCode::malformed_packet, "response topic is not well-formed UTF-8 [MQTT-3.3.2-13]"};
      return DecodeError{ReasonCode::protocol_error, "response topic is not a topic name [MQTT-3.3.2-14]"};
    case PropertyType::binary: return {};
    default: break;
  }
  if (item.number >= trait.value_min && item.number <= trait.value_max) return {};
  if (item.id == PropertyId::topic_alias)
    return DecodeError{ReasonCode::topic_alias_invalid, "topic alias 0 [MQTT-3.3.2-8]"};
  return DecodeError{ReasonCode::protocol_error, "property value out of its range (2.2.2.2)"};
}

std::string_view flags_clause(PacketType type) {
  switch (type) {
    case PacketType::pubrel: return "PUBREL flags are not 0010 [MQTT-3.6.1-1]";
    case PacketType::subscribe: return "SUBSCRIBE flags are not 0010 [MQTT-3.8.1-1]";
    case PacketType::unsubscribe: return "UNSUBSCRIBE flags are not 0010 [MQTT-3.10.1-1]";
    case PacketType::disconnect: return "reserved flags set in DISCONNECT [MQTT-3.14.1-1]";
    case PacketType::auth: return "reserved flags set in AUTH [MQTT-3.15.1-1]";
    default: return "reserved flags set [MQTT-2.1.3-1]";
  }
}

uint8_t flags_of(PacketType type) {
  bool two = type == PacketType::pubrel || type == PacketType::subscribe || type == PacketType::unsubscribe;
  return two ? 0x02 : 0x00;
}

}  // namespace

Decoded<Properties> validate_properties(std::string_view wire, PropertyHome home) {
  const unsigned here = 1u << static_cast<unsigned>(home);
  uint64_t seen = 0;
  std::string_view rest = wire;
  for (Properties::Item item; !rest.empty();) {
    auto id = static_cast<uint8_t>(rest.front());
    PropertyTrait trait = trait_of(PropertyId{id});
    if (trait.type == PropertyType::none) return malformed("unknown property identifier (2.2.2.2)");
    if (!(trait.homes & here)) return malformed("property does not belong in this packet (2.2.2.2)");
    if (!Properties::next(rest, item)) return malformed("property is cut short or not of its type (2.2.2.2)");
    if ((seen >> id & 1) && !(trait.repeats & here)) return protocol_error("property stands twice (2.2.2.2)");
    seen |= uint64_t{1} << id;
    if (auto bad = value_error(item, trait)) return tl::unexpected(*bad);
  }
  return Properties::of_valid_wire(wire);
}

Decoded<Properties> read_properties(ByteReader& in, PropertyHome home) {
  uint32_t length = read_varint(in);
  if (!in.ok()) return malformed("property length is missing or not a variable byte integer [MQTT-1.5.5-1]");
  std::string_view wire = in.bytes(length);
  if (!in.ok()) return malformed("property length runs over the packet's end (2.2.2.1)");
  return validate_properties(wire, home);
}

bool reason_allowed(PacketType type, uint8_t code) {
  return kReasonTable[code] & bit(type);
}

std::optional<DecodeError> length_error(const Frame& frame, Version version) {
  size_t body = frame.body.size();
  if (version != Version::v5 || frame.size == 1 + varint_size(static_cast<uint32_t>(body)) + body) return {};
  return DecodeError{ReasonCode::malformed_packet, "remaining length is not in its shortest form [MQTT-1.5.5-1]"};
}

std::optional<DecodeError> header_error(const Frame& frame, Version version) {
  PacketType type = type_of(frame.first);
  if (version != Version::v3_1 && (frame.first & 0x0F) != flags_of(type))
    return DecodeError{ReasonCode::malformed_packet, flags_clause(type)};
  return length_error(frame, version);
}

DecodeError topic_error(std::string_view topic) {
  if (!is_valid_utf8_string(topic))
    return {ReasonCode::malformed_packet, "topic name is not well-formed UTF-8 [MQTT-1.5.4-1]"};
  if (topic.empty()) return {ReasonCode::protocol_error, "topic name is empty [MQTT-4.7.3-1]"};
  return {ReasonCode::topic_name_invalid, "topic name with a wildcard [MQTT-3.3.2-2]"};
}

}  // namespace tidegate::mqtt
