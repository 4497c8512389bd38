// Bytes as people write them: "01 A2", and back.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace tidegate {

inline std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    char two[4];
    std::snprintf(two, sizeof two, "%02X ", static_cast<unsigned char>(c));
    out += two;
  }
  if (!out.empty()) out.pop_back();
  return out;
}

}  // namespace tidegate
