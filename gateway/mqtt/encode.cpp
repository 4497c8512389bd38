#include "gateway/mqtt/encode.h"

#include "gateway/base/bytes.h"
#include "gateway/base/result.h"

namespace tidegate::mqtt {
namespace {

constexpr uint32_t kVarintMax = 268'435'455;

void append_byte(unsigned value, std::string& out) {
  out.push_back(static_cast<char>(value));
}

void append_string(std::string_view text, std::string& out) {
  TIDEGATE_CHECK(text.size() <= 0xFFFF);
  append_big_endian(out, static_cast<uint16_t>(text.size()));
  out.append(text);
}

size_t string_size(std::string_view text) {
  return 2 + text.size();
}

void append_header(PacketType type, unsigned flags, size_t remaining_length, std::string& out) {
  TIDEGATE_CHECK(remaining_length <= kVarintMax);
  append_byte(static_cast<unsigned>(type) << 4 | flags, out);
  append_varint(static_cast<uint32_t>(remaining_length), out);
}

// Properties and their length prefix; nothing before 5.0.
size_t properties_size(Properties properties, Version version) {
  if (version != Version::v5) return 0;
  size_t size = properties.wire().size();
  return varint_size(static_cast<uint32_t>(size)) + size;
}

void append_properties(Properties properties, Version version, std::string& out) {
  if (version != Version::v5) return;
  append_varint(static_cast<uint32_t>(properties.wire().size()), out);
  out.append(properties.wire());
}

size_t connect_size(const Connect& c) {
  size_t size = string_size(c.version == Version::v3_1 ? "MQIsdp" : "MQTT") + 4;
  size += properties_size(c.properties, c.version) + string_size(c.client_id);
  if (c.will)
    size += properties_size(c.will->properties, c.version) + string_size(c.will->topic) + string_size(c.will->payload);
  if (c.username) size += string_size(*c.username);
  if (c.password) size += string_size(*c.password);
  return size;
}

unsigned connect_flags(const Connect& c) {
  unsigned flags = c.clean_start ? 0x02 : 0;
  if (c.will) flags |= 0x04u | static_cast<unsigned>(c.will->qos) << 3 | (c.will->retain ? 0x20u : 0u);
  if (c.password) flags |= 0x40;
  if (c.username) flags |= 0x80;
  return flags;
}

size_t head_properties_size(const PublishHead& head) {
  return head.properties_first.size() + head.properties_second.size();
}

size_t publish_remaining_length(const PublishHead& head, Version version) {
  size_t size = string_size(head.topic) + (head.qos == Qos::at_most_once ? 0 : 2) + head.payload_size;
  if (version != Version::v5) return size;
  size_t properties = head_properties_size(head);
  return size + varint_size(static_cast<uint32_t>(properties)) + properties;
}

}  // namespace

void append_varint(uint32_t value, std::string& out) {
  TIDEGATE_CHECK(value <= kVarintMax);
  for (; value >= 128; value >>= 7) append_byte((value & 0x7F) | 0x80, out);
  append_byte(value, out);
}

void encode(const Connect& c, std::string& out) {
  append_header(PacketType::connect, 0, connect_size(c), out);
  append_string(c.version == Version::v3_1 ? "MQIsdp" : "MQTT", out);
  const bool bridge_bit = c.bridge && c.version != Version::v5;
  append_byte(static_cast<unsigned>(c.version) | (bridge_bit ? 0x80u : 0u), out);
  append_byte(connect_flags(c), out);
  append_big_endian(out, c.keep_alive_seconds);
  append_properties(c.properties, c.version, out);
  append_string(c.client_id, out);
  if (c.will) {
    append_properties(c.will->properties, c.version, out);
    append_string(c.will->topic, out);
    append_string(c.will->payload, out);
  }
  if (c.username) append_string(*c.username, out);
  if (c.password) append_string(*c.password, out);
}

void encode(const Connack& c, Version version, std::string& out) {
  append_header(PacketType::connack, 0, 2 + properties_size(c.properties, version), out);
  append_byte(c.session_present && version != Version::v3_1, out);
  append_byte(c.code, out);
  append_properties(c.properties, version, out);
}

size_t encoded_size(const PublishHead& head, Version version) {
  size_t length = publish_remaining_length(head, version);
  return 1 + varint_size(static_cast<uint32_t>(length)) + length;
}

void encode_head(const PublishHead& head, Version version, std::string& out) {
  unsigned flags = (head.dup ? 0x08u : 0u) | static_cast<unsigned>(head.qos) << 1 | (head.retain ? 0x01u : 0u);
  append_header(PacketType::publish, flags, publish_remaining_length(head, version), out);
  append_string(head.topic, out);
  if (head.qos != Qos::at_most_once) {
    TIDEGATE_CHECK(head.packet_id != 0);
    append_big_endian(out, head.packet_id);
  }
  if (version != Version::v5) return;
  append_varint(static_cast<uint32_t>(head_properties_size(head)), out);
  out.append(head.properties_first);
  out.append(head.properties_second);
}

void encode(const Publish& p, Version version, std::string& out) {
  PublishHead head{p.topic, p.payload.size(), p.qos, p.dup, p.retain, p.packet_id, p.properties.wire(), {}};
  encode_head(head, version, out);
  out.append(p.payload);
}

void encode(const Ack& ack, Version version, std::string& out) {
  const bool has_properties = version == Version::v5 && !ack.properties.empty();
  const bool has_reason = has_properties || (version == Version::v5 && ack.reason != ReasonCode::success);
  size_t size = 2 + (has_reason ? 1 : 0) + (has_properties ? properties_size(ack.properties, version) : 0);
  append_header(ack.type, ack.type == PacketType::pubrel ? 0x02 : 0, size, out);
  append_big_endian(out, ack.packet_id);
  if (has_reason) append_byte(static_cast<uint8_t>(ack.reason), out);
  if (has_properties) append_properties(ack.properties, version, out);
}

void encode(const Subscribe& s, Version version, std::string& out) {
  size_t size = 2 + properties_size(s.properties, version);
  for (const auto& entry : s.entries) size += string_size(entry.filter) + 1;
  append_header(PacketType::subscribe, 0x02, size, out);
  append_big_endian(out, s.packet_id);
  append_properties(s.properties, version, out);
  for (const auto& [filter, options] : s.entries) {
    append_string(filter, out);
    auto byte = static_cast<unsigned>(options.qos);
    if (version == Version::v5) {
      byte |= (options.no_local ? 0x04u : 0u) | (options.retain_as_published ? 0x08u : 0u);
      byte |= static_cast<unsigned>(options.retain_handling) << 4;
    }
    append_byte(byte, out);
  }
}

void encode(const Suback& s, Version version, std::string& out) {
  const bool has_codes = s.type == PacketType::suback || version == Version::v5;
  size_t size = 2 + properties_size(s.properties, version) + (has_codes ? s.codes.size() : 0);
  append_header(s.type, 0, size, out);
  append_big_endian(out, s.packet_id);
  append_properties(s.properties, version, out);
  if (!has_codes) return;
  // 3.1.1 knows one failure only (3.9.3).
  for (char code : s.codes) out.push_back(version != Version::v5 && (code & 0x80) ? '\x80' : code);
}

void encode(const Unsubscribe& u, Version version, std::string& out) {
  size_t size = 2 + properties_size(u.properties, version);
  for (std::string_view filter : u.filters) size += string_size(filter);
  append_header(PacketType::unsubscribe, 0x02, size, out);
  append_big_endian(out, u.packet_id);
  append_properties(u.properties, version, out);
  for (std::string_view filter : u.filters) append_string(filter, out);
}

void encode(const Pingreq&, std::string& out) {
  append_header(PacketType::pingreq, 0, 0, out);
}

void encode(const Pingresp&, std::string& out) {
  append_header(PacketType::pingresp, 0, 0, out);
}

void encode(const Disconnect& d, Version version, std::string& out) {
  const bool has_properties = version == Version::v5 && !d.properties.empty();
  const bool has_reason = has_properties || (version == Version::v5 && d.reason != ReasonCode::success);
  size_t size = (has_reason ? 1 : 0) + (has_properties ? properties_size(d.properties, version) : 0);
  append_header(PacketType::disconnect, 0, size, out);
  if (has_reason) append_byte(static_cast<uint8_t>(d.reason), out);
  if (has_properties) append_properties(d.properties, version, out);
}

void encode(const Auth& a, std::string& out) {
  if (a.reason == ReasonCode::success && a.properties.empty()) return append_header(PacketType::auth, 0, 0, out);
  append_header(PacketType::auth, 0, 1 + properties_size(a.properties, Version::v5), out);
  append_byte(static_cast<uint8_t>(a.reason), out);
  append_properties(a.properties, Version::v5, out);
}

}  // namespace tidegate::mqtt
