#include "gateway/net/ws_frames.h"

#include <algorithm>
#include <cstring>

#include "gateway/base/topic.h"

namespace tidegate::net {
namespace {

enum Opcode : uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

constexpr uint8_t final_bit = 0x80, reserved_bits = 0x70, mask_bit = 0x80;
constexpr size_t control_bytes_max = 125;
constexpr size_t replies_bytes_max = 4096;

void append_header(std::string& to, Opcode opcode, uint64_t size) {
  to += static_cast<char>(final_bit | opcode);
  int length_bytes = size <= 125 ? 0 : size <= 0xFFFF ? 2 : 8;
  to += static_cast<char>(length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127);
  for (int shift = (length_bytes - 1) * 8; shift >= 0; shift -= 8) to += static_cast<char>(size >> shift);
}

void append_code(std::string& to, unsigned code) {
  append_header(to, close, 2);
  to += static_cast<char>(code >> 8);
  to += static_cast<char>(code);
}

// That a peer may send (7.4).
bool is_close_code(unsigned code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace

void append_ws_header(std::string& to, uint64_t size) {
  append_header(to, binary, size);
}

void append_ws_close(std::string& to, WsClose code) {
  append_code(to, static_cast<unsigned>(code));
}

size_t WsDecoder::decode(std::span<char> bytes) {
  size_t in = 0, out = 0;
  while (in < bytes.size() && !ended_) {
    if (!in_payload_) {
      header_[header_size_++] = static_cast<uint8_t>(bytes[in++]);
      if (header_size_ == 2) begin_frame();
      if (header_size_ == header_needs_) finish_header();
      continue;
    }
    auto n = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size() - in));
    if (is_control()) {
      char part[control_bytes_max];
      control_.append(part, unmask(bytes.data() + in, n, part));
    } else {
      out += unmask(bytes.data() + in, n, bytes.data() + out);
    }
    in += n;
    left_ -= n;
    if (left_ == 0) end_frame();
  }
  return out;
}

// `to` may be `from` or lie before it. Eight bytes at a time: the mask repeats every four.
size_t WsDecoder::unmask(const char* from, size_t n, char* to) {
  uint8_t turned[8];
  for (size_t i = 0; i < 8; ++i) turned[i] = mask_[(mask_at_ + i) % 4];
  uint64_t wide = 0;
  std::memcpy(&wide, turned, 8);
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t eight = 0;
    std::memcpy(&eight, from + i, 8);
    eight ^= wide;
    std::memcpy(to + i, &eight, 8);
  }
  for (; i < n; ++i) to[i] = static_cast<char>(static_cast<uint8_t>(from[i]) ^ turned[i % 4]);
  mask_at_ = static_cast<uint8_t>((mask_at_ + n) % 4);
  return n;
}

// With the first two bytes: what the frame is, and how long its header.
void WsDecoder::begin_frame() {
  opcode_ = header_[0] & 0x0F;
  final_ = (header_[0] & final_bit) != 0;
  uint8_t length = header_[1] & 0x7F;
  header_needs_ = static_cast<uint8_t>(2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + 4);
  if ((header_[0] & reserved_bits) != 0) return fail(WsClose::protocol_error, "a frame with reserved bits");
  if ((header_[1] & mask_bit) == 0) return fail(WsClose::protocol_error, "a frame without a mask");
  switch (opcode_) {
    case text: return fail(WsClose::not_binary, "a text frame: MQTT needs binary ones");  // [MQTT-6.0.0-1]
    case binary:
      if (in_message_) fail(WsClose::protocol_error, "a new message inside a fragmented one");
      return;
    case continuation:
      if (!in_message_) fail(WsClose::protocol_error, "a continuation of nothing");
      return;
    case close:
    case ping:
    case pong:
      if (!final_ || length > control_bytes_max) fail(WsClose::protocol_error, "a control frame in pieces or too long");
      return;
    default: return fail(WsClose::protocol_error, "a frame of an unknown kind");
  }
}

void WsDecoder::finish_header() {
  uint64_t size = header_[1] & 0x7F;
  size_t length_bytes = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (length_bytes > 0) {
    size = 0;
    for (size_t i = 0; i < length_bytes; ++i) size = size << 8 | header_[2 + i];
    if (size <= (length_bytes == 2 ? 125u : 0xFFFFu)) {
      return fail(WsClose::protocol_error, "a frame's length in more bytes than it needs");
    }
  }
  if (size > frame_bytes_max_) return fail(WsClose::too_large, "a frame above the limit");
  std::copy_n(header_.begin() + 2 + static_cast<ptrdiff_t>(length_bytes), 4, mask_.begin());
  header_size_ = 0;
  header_needs_ = 2;
  mask_at_ = 0;
  left_ = size;
  in_payload_ = true;
  if (left_ == 0) end_frame();
}

void WsDecoder::end_frame() {
  in_payload_ = false;
  if (!is_control()) {
    in_message_ = !final_;
    return;
  }
  if (opcode_ == close) answer_close();
  if (opcode_ == ping && replies.size() < replies_bytes_max) {
    append_header(replies, pong, control_.size());
    replies += control_;
  }
  std::string().swap(control_);
}

// The code that the peer gave goes back (5.5.1).
void WsDecoder::answer_close() {
  if (control_.empty()) {
    append_header(replies, close, 0);
    ended_ = true;
    return;
  }
  unsigned code =
      control_.size() < 2
          ? 0
          : static_cast<unsigned>(static_cast<uint8_t>(control_[0]) << 8 | static_cast<uint8_t>(control_[1]));
  if (!is_close_code(code)) return fail(WsClose::protocol_error, "a close frame with an impossible code");
  std::replace(control_.begin() + 2, control_.end(), '\0', ' ');  // text here, but not to MQTT
  if (!is_valid_utf8_string(std::string_view(control_).substr(2))) {
    return fail(WsClose::not_text, "a close frame whose reason is not UTF-8");
  }
  append_code(replies, code);
  ended_ = true;
}

void WsDecoder::fail(WsClose code, const char* why) {
  append_ws_close(replies, code);
  error_ = why;
  ended_ = true;
}

}  // namespace tidegate::net
