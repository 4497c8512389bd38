#include "gateway/net/peer_key.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>

namespace tidegate::net {

std::optional<sockaddr_storage> parse_peer(std::string_view peer) {
  if (peer.starts_with('[')) {
    peer = peer.substr(1, peer.find(']') - 1);
  } else if (std::count(peer.begin(), peer.end(), ':') == 1) {
    peer = peer.substr(0, peer.find(':'));
  }
  std::string text(peer.substr(0, peer.find('%')));
  sockaddr_storage address{};
  if (::inet_pton(AF_INET, text.c_str(), &reinterpret_cast<sockaddr_in&>(address).sin_addr) == 1) {
    address.ss_family = AF_INET;
    return address;
  }
  if (::inet_pton(AF_INET6, text.c_str(), &reinterpret_cast<sockaddr_in6&>(address).sin6_addr) == 1) {
    address.ss_family = AF_INET6;
    return address;
  }
  return {};
}

PeerKey PeerKey::of(const sockaddr_storage& address) {
  PeerKey key;
  if (address.ss_family == AF_INET) {
    key.family = 4;
    std::memcpy(key.bytes.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
  } else if (address.ss_family == AF_INET6) {
    key.family = 6;
    std::memcpy(key.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 8);
  }
  return key;
}

PeerKey PeerKey::of(std::string_view peer) {
  auto address = parse_peer(peer);
  return address ? of(*address) : PeerKey{};
}

std::string PeerKey::text() const {
  std::array<uint8_t, 16> raw{};
  std::copy(bytes.begin(), bytes.end(), raw.begin());
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (!*this || !::inet_ntop(family == 4 ? AF_INET : AF_INET6, raw.data(), text.data(), text.size())) return "?";
  return family == 4 ? std::string(text.data()) : std::string(text.data()) + "/64";
}

}  // namespace tidegate::net
