// The subscription options byte of 5.0 (3.8.3.1), as the store keeps it.
#pragma once

#include <cstdint>

#include "gateway/mqtt/packet.h"

namespace tidegate::broker {

[[nodiscard]] constexpr uint8_t to_wire(const mqtt::SubscribeOptions& options) {
  return static_cast<uint8_t>(static_cast<uint8_t>(options.qos) | (options.no_local ? 0x04 : 0) |
                              (options.retain_as_published ? 0x08 : 0) |
                              (static_cast<uint8_t>(options.retain_handling) << 4));
}

// REQUIRES: made by to_wire.
[[nodiscard]] constexpr mqtt::SubscribeOptions options_from_wire(uint8_t wire) {
  return {static_cast<Qos>(wire & 0x03), (wire & 0x04) != 0, (wire & 0x08) != 0,
          static_cast<mqtt::RetainHandling>((wire >> 4) & 0x03)};
}

}  // namespace tidegate::broker
