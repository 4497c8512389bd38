// Packets of any type as one: a frame decodes as its first byte says, a packet encodes as it is.
#pragma once

#include <string>
#include <variant>

#include "gateway/mqtt/decode.h"
#include "gateway/mqtt/encode.h"

namespace tidegate::mqtt {

[[nodiscard]] inline Decoded<Packet> decode_any(const Frame& f, Version version) {
  if (type_of(f.first) == PacketType::connect) return decode_connect(f);
  return decode(f, version);
}

[[nodiscard]] inline std::string encode_any(const Packet& packet, Version version) {
  std::string out;
  std::visit(
      [&](const auto& p) {
        if constexpr (requires { encode(p, version, out); }) {
          encode(p, version, out);
        } else {
          encode(p, out);
        }
      },
      packet);
  return out;
}

}  // namespace tidegate::mqtt
