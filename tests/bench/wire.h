// MQTT 3.1.1 and 5.0 as a client sees it: just enough bytes in and out to judge a broker.
//
// This is on purpose not gateway/mqtt: the judge shares no code with the judged, so that one wrong idea of the
// standard cannot hide in both. Pure functions over bytes; no sockets, no clocks. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bench {

enum class Version : uint8_t { v311 = 4, v5 = 5 };

enum class PacketType : uint8_t {
  connect = 1,
  connack = 2,
  publish = 3,
  puback = 4,
  pubrec = 5,
  pubrel = 6,
  pubcomp = 7,
  subscribe = 8,
  suback = 9,
  pingreq = 12,
  pingresp = 13,
  disconnect = 14,
};

struct ConnectRequest {
  Version version = Version::v311;
  std::string client_id;
  bool clean = true;  // 5.0: clean start, and a session that ends with the connection; else it is kept for a day
  uint16_t keepalive_s = 600;
};

struct PublishRequest {
  std::string_view topic;
  uint8_t qos = 0;
  bool retain = false;
  uint16_t id = 0;  // of QoS 1 and 2
};

void append_connect(std::string& out, const ConnectRequest& request);
void append_subscribe(std::string& out, Version version, uint16_t id, std::span<const std::string> filters,
                      uint8_t qos);
void append_publish(std::string& out, Version version, const PublishRequest& request, std::string_view payload);
// PUBACK, PUBREC, PUBREL or PUBCOMP without a reason code.
void append_ack(std::string& out, PacketType type, uint16_t id);
void append_disconnect(std::string& out);

// One packet at the start of a buffer; `body` points into it.
struct Frame {
  PacketType type;
  uint8_t flags = 0;
  std::string_view body;
  size_t size = 0;  // with the fixed header: what to cut off the buffer
};

enum class FrameState : uint8_t { complete, incomplete, malformed };
FrameState next_frame(std::string_view in, Frame& frame);

struct Connack {
  bool session_present = false;
  uint8_t code = 0;  // 0: accepted
  uint16_t receive_maximum = 65535;
};

struct Publish {
  std::string_view topic;
  std::string_view payload;
  uint8_t qos = 0;
  bool retain = false;
  bool dup = false;
  uint16_t id = 0;
};

struct Ack {
  uint16_t id = 0;
  uint8_t reason = 0;  // >= 0x80: refused; always 0 with 3.1.1
};

// Nothing: malformed.
std::optional<Connack> parse_connack(Version version, std::string_view body);
std::optional<Publish> parse_publish(Version version, const Frame& frame);
std::optional<Ack> parse_ack(std::string_view body);
// The worst code of a SUBACK: >= 0x80 means that a filter was refused.
std::optional<uint8_t> parse_suback(Version version, std::string_view body);

}  // namespace bench
