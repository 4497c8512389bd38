#include "gateway/mqtt/framer.h"

namespace tidegate::mqtt {
namespace {

constexpr size_t kLengthBytesMax = 4;  // 2.1.4

}  // namespace

Frame frame(std::string_view bytes, size_t size_max) {
  Frame f;
  if (bytes.empty()) return f;
  f.first = static_cast<uint8_t>(bytes[0]);
  f.state = Frame::State::malformed;
  if (f.first >> 4 == 0) return f;

  size_t length = 0;
  for (size_t i = 0; i < kLengthBytesMax; ++i) {
    if (1 + i == bytes.size()) {
      f.state = Frame::State::incomplete;
      return f;
    }
    auto byte = static_cast<uint8_t>(bytes[1 + i]);
    length |= static_cast<size_t>(byte & 0x7F) << (7 * i);
    if (byte & 0x80) continue;

    size_t head = 2 + i;
    f.size = head + length;
    if (f.size > size_max) {
      f.state = Frame::State::too_large;
    } else if (bytes.size() < f.size) {
      f.state = Frame::State::incomplete;
    } else {
      f.state = Frame::State::complete;
      f.body = bytes.substr(head, length);
    }
    return f;
  }
  return f;
}

}  // namespace tidegate::mqtt
