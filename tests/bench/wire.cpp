#include "tests/bench/wire.h"

#include <algorithm>

namespace bench {
namespace {

constexpr uint8_t property_session_expiry = 0x11;
constexpr uint8_t property_receive_maximum = 0x21;
constexpr uint32_t session_expiry_s = 86400;

void append_u16(std::string& out, size_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value));
}

void append_string(std::string& out, std::string_view text) {
  append_u16(out, text.size());
  out.append(text);
}

void append_varint(std::string& out, size_t value) {
  do {
    auto byte = static_cast<uint8_t>(value & 0x7f);
    value >>= 7;
    out.push_back(static_cast<char>(value != 0 ? byte | 0x80 : byte));
  } while (value != 0);
}

void append_header(std::string& out, PacketType type, unsigned flags, size_t remaining) {
  out.push_back(static_cast<char>((static_cast<unsigned>(type) << 4) | flags));
  append_varint(out, remaining);
}

// Reads from the front of a view; `ok` turns false for good where the bytes end too early.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  uint8_t u8() {
    if (!need(1)) return 0;
    auto value = static_cast<uint8_t>(bytes_[0]);
    bytes_.remove_prefix(1);
    return value;
  }
  uint16_t u16() {
    unsigned high = u8();
    return static_cast<uint16_t>((high << 8) | u8());
  }
  size_t varint() {
    size_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
      uint8_t byte = u8();
      value |= static_cast<size_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    ok_ = false;
    return 0;
  }
  std::string_view take(size_t size) {
    if (!need(size)) return {};
    std::string_view part = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return part;
  }
  [[nodiscard]] std::string_view rest() const { return bytes_; }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  bool need(size_t size) {
    if (bytes_.size() < size) ok_ = false;
    return ok_;
  }

  std::string_view bytes_;
  bool ok_ = true;
};

// Steps over the value of one property of a CONNACK [MQTT-5.0 2.2.2.2].
void skip_property(Reader& in, uint8_t id) {
  switch (id) {
    case 0x24:
    case 0x25:
    case 0x28:
    case 0x29:
    case 0x2a: in.take(1); break;
    case 0x13:
    case 0x22: in.take(2); break;
    case 0x11:
    case 0x27: in.take(4); break;
    case 0x26:
      in.take(in.u16());
      in.take(in.u16());
      break;
    default: in.take(in.u16());
  }
}

}  // namespace

void append_connect(std::string& out, const ConnectRequest& request) {
  bool v5 = request.version == Version::v5;
  std::string body;
  append_string(body, "MQTT");
  body.push_back(static_cast<char>(request.version));
  body.push_back(request.clean ? 0x02 : 0x00);
  append_u16(body, request.keepalive_s);
  if (v5 && request.clean) append_varint(body, 0);
  if (v5 && !request.clean) {
    append_varint(body, 5);
    body.push_back(static_cast<char>(property_session_expiry));
    append_u16(body, session_expiry_s >> 16);
    append_u16(body, session_expiry_s & 0xffff);
  }
  append_string(body, request.client_id);
  append_header(out, PacketType::connect, 0, body.size());
  out += body;
}

void append_subscribe(std::string& out, Version version, uint16_t id, std::span<const std::string> filters,
                      uint8_t qos) {
  std::string body;
  append_u16(body, id);
  if (version == Version::v5) append_varint(body, 0);
  for (const std::string& filter : filters) {
    append_string(body, filter);
    body.push_back(static_cast<char>(qos));
  }
  append_header(out, PacketType::subscribe, 2, body.size());
  out += body;
}

void append_publish(std::string& out, Version version, const PublishRequest& request, std::string_view payload) {
  bool v5 = version == Version::v5;
  size_t remaining = 2 + request.topic.size() + (request.qos > 0 ? 2U : 0U) + (v5 ? 1U : 0U) + payload.size();
  append_header(out, PacketType::publish, (static_cast<unsigned>(request.qos) << 1) | (request.retain ? 1U : 0U),
                remaining);
  append_string(out, request.topic);
  if (request.qos > 0) append_u16(out, request.id);
  if (v5) append_varint(out, 0);
  out.append(payload);
}

void append_ack(std::string& out, PacketType type, uint16_t id) {
  append_header(out, type, type == PacketType::pubrel ? 2 : 0, 2);
  append_u16(out, id);
}

void append_disconnect(std::string& out) {
  append_header(out, PacketType::disconnect, 0, 0);
}

FrameState next_frame(std::string_view in, Frame& frame) {
  if (in.size() < 2) return FrameState::incomplete;
  size_t remaining = 0;
  size_t header = 1;
  for (unsigned shift = 0;; shift += 7) {
    if (shift == 28) return FrameState::malformed;
    if (header == in.size()) return FrameState::incomplete;
    auto byte = static_cast<uint8_t>(in[header++]);
    remaining |= static_cast<size_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  if (in.size() - header < remaining) return FrameState::incomplete;
  auto first = static_cast<uint8_t>(in[0]);
  frame = Frame{static_cast<PacketType>(first >> 4), static_cast<uint8_t>(first & 0x0f), in.substr(header, remaining),
                header + remaining};
  return FrameState::complete;
}

std::optional<Connack> parse_connack(Version version, std::string_view body) {
  Reader in(body);
  Connack connack;
  connack.session_present = (in.u8() & 1) != 0;
  connack.code = in.u8();
  if (!in.ok()) return std::nullopt;
  if (version == Version::v5 && !in.rest().empty()) {
    Reader properties(in.take(in.varint()));
    while (properties.ok() && !properties.rest().empty()) {
      uint8_t id = properties.u8();
      if (id == property_receive_maximum) {
        connack.receive_maximum = properties.u16();
      } else {
        skip_property(properties, id);
      }
    }
    if (!properties.ok()) return std::nullopt;
  }
  return in.ok() ? std::optional(connack) : std::nullopt;
}

std::optional<Publish> parse_publish(Version version, const Frame& frame) {
  Reader in(frame.body);
  Publish publish;
  publish.qos = (frame.flags >> 1) & 3;
  publish.retain = (frame.flags & 1) != 0;
  publish.dup = (frame.flags & 8) != 0;
  publish.topic = in.take(in.u16());
  if (publish.qos > 0) publish.id = in.u16();
  if (version == Version::v5) in.take(in.varint());
  publish.payload = in.rest();
  if (!in.ok() || publish.qos > 2 || (publish.qos > 0 && publish.id == 0)) return std::nullopt;
  return publish;
}

std::optional<Ack> parse_ack(std::string_view body) {
  Reader in(body);
  Ack ack;
  ack.id = in.u16();
  if (!in.rest().empty()) ack.reason = in.u8();
  return in.ok() ? std::optional(ack) : std::nullopt;
}

std::optional<uint8_t> parse_suback(Version version, std::string_view body) {
  Reader in(body);
  in.u16();
  if (version == Version::v5) in.take(in.varint());
  if (!in.ok() || in.rest().empty()) return std::nullopt;
  uint8_t worst = 0;
  for (char code : in.rest()) worst = std::max(worst, static_cast<uint8_t>(code));
  return worst;
}

}  // namespace bench
