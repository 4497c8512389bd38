// Whom limits per address count together: an IPv4 address, or the /64 network of an IPv6 address, which one box has to
// itself. Pure.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate::net {

// "192.0.2.1:1883", "[2001:db8::1]:1883", with or without brackets and port.
[[nodiscard]] std::optional<sockaddr_storage> parse_peer(std::string_view peer);

struct PeerKey {
  std::array<uint8_t, 8> bytes{};
  uint8_t family = 0;  // 4, 6; 0: no address, as that of a Unix socket: nothing is counted

  explicit operator bool() const { return family != 0; }
  friend auto operator<=>(const PeerKey&, const PeerKey&) = default;

  [[nodiscard]] static PeerKey of(const sockaddr_storage& address);
  [[nodiscard]] static PeerKey of(std::string_view peer);  // as parse_peer
  [[nodiscard]] std::string text() const;                  // "192.0.2.1", "2001:db8::/64"
};

}  // namespace tidegate::net

template <>
struct std::hash<tidegate::net::PeerKey> {
  size_t operator()(const tidegate::net::PeerKey& key) const noexcept {
    uint64_t bytes = 0;
    std::memcpy(&bytes, key.bytes.data(), sizeof bytes);
    return std::hash<uint64_t>()(bytes * 2 + (key.family == 6 ? 1 : 0));
  }
};
