#include "gateway/net/peer_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

namespace tidegate::net {
namespace {

std::string local_peer(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "unix";
  return fmt::format("unix:uid={},pid={}", peer.uid, peer.pid);
}

}  // namespace

std::string peer_text(int socket) {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&from), &size) != 0) return "?";
  char text[INET6_ADDRSTRLEN] = {};
  if (from.ss_family == AF_UNIX) return local_peer(socket);
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return fmt::format("{}:{}", text, ntohs(v4.sin_port));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
  ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  return fmt::format("[{}]:{}", text, ntohs(v6.sin6_port));
}

}  // namespace tidegate::net
