// Cuts a byte stream into control packets by their fixed header (2.1). Total: any bytes give a frame, a wish for more,
// or a reason.
#pragma once

#include <cstddef>
#include <string_view>

#include "gateway/mqtt/packet.h"

namespace tidegate::mqtt {

struct Frame {
  enum class State : uint8_t {
    complete,    // `first`, `body` and `size` are set
    incomplete,  // more bytes are needed; `size` is the whole packet's length once known, else 0
    malformed,   // the remaining length is not a variable byte integer, or the type is 0: 0x81
    too_large,   // the packet is longer than the limit: 0x95
  };
  State state = State::incomplete;
  uint8_t first = 0;      // type and flags
  std::string_view body;  // variable header and payload
  size_t size = 0;        // with the fixed header
};

// Looks at the packet that starts at `bytes`. `size_max` counts the whole packet.
[[nodiscard]] Frame frame(std::string_view bytes, size_t size_max);

[[nodiscard]] inline PacketType type_of(uint8_t first) {
  return static_cast<PacketType>(first >> 4);
}

}  // namespace tidegate::mqtt
