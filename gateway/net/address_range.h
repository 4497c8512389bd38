// "10.1.0.0/16": which addresses are meant. Pure.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace tidegate::net {

class AddressRange {
 public:
  // An IPv4 or IPv6 address, alone or with the length of its prefix.
  [[nodiscard]] static std::optional<AddressRange> parse(const std::string& text);

  [[nodiscard]] bool contains(const sockaddr_storage& address) const;

 private:
  int family_ = 0;
  unsigned prefix_bits_ = 0;
  std::array<uint8_t, 16> bytes_{};
};

}  // namespace tidegate::net
