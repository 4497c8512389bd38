// An annotated raw packet, one row of the table in packets.h.
//
// `hex` is written for people: hex digits, 'text' for ASCII, `61*200` for a byte that repeats; blanks mean nothing.
// `clause` names the rule in the standard, in the numbering of MQTT 5.0 unless it says otherwise. For a refused packet
// it is part of the decoder's sentence.
#pragma once

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>

#include "gateway/mqtt/packet.h"

namespace tidegate::test {

enum class Verdict {
  canonical,  // decodes, and encodes back to the same bytes
  accepted,   // decodes; our own encoding would differ
  refused,
};

enum class Direction { to_server, to_client, both };

using Versions = unsigned;  // a set of bits
inline constexpr Versions k31 = 1u << 3, k311 = 1u << 4, k5 = 1u << 5;
inline constexpr Versions kBefore5 = k31 | k311, kSince311 = k311 | k5, kEvery = k31 | k311 | k5;

struct RawPacket {
  std::string_view name;
  Versions versions = 0;  // in which the verdict holds; for a CONNECT the version that it asks for
  Direction direction = Direction::both;
  Verdict verdict = Verdict::canonical;
  mqtt::ReasonCode reason = mqtt::ReasonCode::success;  // of the refusal
  std::string_view clause;
  std::string_view hex;
};

[[nodiscard]] constexpr bool holds_in(const RawPacket& packet, mqtt::Version version) {
  return packet.versions >> static_cast<unsigned>(version) & 1;
}

constexpr RawPacket good(std::string_view name, Versions versions, Direction direction, std::string_view clause,
                         std::string_view hex) {
  return {name, versions, direction, Verdict::canonical, mqtt::ReasonCode::success, clause, hex};
}

constexpr RawPacket loose(std::string_view name, Versions versions, Direction direction, std::string_view clause,
                          std::string_view hex) {
  return {name, versions, direction, Verdict::accepted, mqtt::ReasonCode::success, clause, hex};
}

constexpr RawPacket bad(std::string_view name, Versions versions, Direction direction, mqtt::ReasonCode reason,
                        std::string_view clause, std::string_view hex) {
  return {name, versions, direction, Verdict::refused, reason, clause, hex};
}

// Throws std::invalid_argument on what is not in the notation above.
[[nodiscard]] inline std::string bytes_of(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i < hex.size();) {
    if (hex[i] == ' ') {
      ++i;
    } else if (hex[i] == '\'') {
      size_t end = hex.find('\'', i + 1);
      if (end == std::string_view::npos) throw std::invalid_argument("no closing quote");
      out += hex.substr(i + 1, end - i - 1);
      i = end + 1;
    } else if (hex[i] == '*') {
      size_t count = 0;
      auto [end, error] = std::from_chars(hex.data() + i + 1, hex.data() + hex.size(), count);
      if (error != std::errc{} || out.empty() || count == 0) throw std::invalid_argument("no count after *");
      out.append(count - 1, out.back());
      i = static_cast<size_t>(end - hex.data());
    } else {
      unsigned byte = 0;
      auto [end, error] = std::from_chars(hex.data() + i, hex.data() + std::min(i + 2, hex.size()), byte, 16);
      if (error != std::errc{} || end != hex.data() + i + 2) throw std::invalid_argument("not two hex digits");
      out.push_back(static_cast<char>(byte));
      i += 2;
    }
  }
  return out;
}

}  // namespace tidegate::test
