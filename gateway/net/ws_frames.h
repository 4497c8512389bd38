// WebSocket's frames (RFC 6455, 5), the server's side: from the wire to the stream of MQTT bytes in them, and back. Pure.
//
// Where one frame ends and the next begins means nothing to MQTT [MQTT-6.0.0-2], so payloads become one stream, and
// nothing is kept of a frame but its header.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tidegate::net {

// Codes of a close frame (7.4.1).
enum class WsClose : uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  not_binary = 1003,
  not_text = 1007,
  too_large = 1009,
};

class WsDecoder {
 public:
  explicit WsDecoder(uint64_t frame_bytes_max) : frame_bytes_max_(frame_bytes_max) {}

  // Takes bytes from the wire, any number, and leaves the payload that was in them at their front. Returns its size.
  [[nodiscard]] size_t decode(std::span<char> bytes);

  // No more is taken: the peer closed, or broke the rules (then `error` says how). The answer is in `replies`.
  [[nodiscard]] bool has_ended() const { return ended_; }
  [[nodiscard]] const char* error() const { return error_; }

  // Whole frames to send: pongs and the close frame. The caller empties it. Bounded: a peer that pings and does not read
  // gets the first pongs only.
  std::string replies;

 private:
  void begin_frame();
  void finish_header();
  void end_frame();
  void answer_close();
  void fail(WsClose code, const char* why);
  size_t unmask(const char* from, size_t n, char* to);
  [[nodiscard]] bool is_control() const { return opcode_ >= 8; }

  const uint64_t frame_bytes_max_;
  uint64_t left_ = 0;  // of the frame's payload
  std::array<uint8_t, 14> header_{};
  uint8_t header_size_ = 0;  // of it, as far as it has come
  uint8_t header_needs_ = 2;
  uint8_t opcode_ = 0;
  uint8_t mask_at_ = 0;
  bool final_ = false;
  bool in_payload_ = false;
  bool in_message_ = false;  // a fragmented one
  bool ended_ = false;
  std::array<uint8_t, 4> mask_{};
  const char* error_ = nullptr;
  std::string control_;  // payload of a control frame
};

// The header of a binary frame of `size` bytes, appended.
void append_ws_header(std::string& to, uint64_t size);
// A close frame, appended.
void append_ws_close(std::string& to, WsClose code);

}  // namespace tidegate::net
