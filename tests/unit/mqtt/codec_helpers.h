// Verbs for the codec's tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>

#include "tests/support/any_packet.h"
#include "tests/support/raw_packet.h"

namespace tidegate::mqtt {

inline constexpr size_t kNoLimit = 268'435'460;
inline constexpr Version kVersions[] = {Version::v3_1, Version::v3_1_1, Version::v5};

// Decodes one whole packet of type P; the test fails and the value is empty if it is none. The packet's views point
// into `bytes`, which a caller must keep.
template <class P>
[[nodiscard]] P decoded(const std::string& bytes, Version version) {
  Frame f = frame(bytes, kNoLimit);
  EXPECT_EQ(f.state, Frame::State::complete);
  auto packet = decode_any(f, version);
  if (!packet) {
    ADD_FAILURE() << packet.error().what;
    return P{};
  }
  if (!std::holds_alternative<P>(*packet)) {
    ADD_FAILURE() << "another packet";
    return P{};
  }
  return std::get<P>(*packet);
}

// A frame around a body, however wrong that is.
[[nodiscard]] inline std::string framed(uint8_t first, std::string_view body) {
  std::string out(1, static_cast<char>(first));
  append_varint(static_cast<uint32_t>(body.size()), out);
  out.append(body);
  return out;
}

}  // namespace tidegate::mqtt
