#include "bridge/socket_cut.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace tidegate::bridge {
namespace {

// Any of its texts as bytes; IPv4 as mapped into IPv6, without the scope of a link-local one.
std::optional<in6_addr> bytes_of(const std::string& numeric) {
  in6_addr address{};
  const std::string unscoped = numeric.substr(0, numeric.find('%'));
  if (inet_pton(AF_INET6, unscoped.c_str(), &address) == 1) return address;
  if (inet_pton(AF_INET6, ("::ffff:" + unscoped).c_str(), &address) == 1) return address;
  return {};
}

bool is_end(const sockaddr_storage& peer, const in6_addr& address, uint16_t port) {
  in6_addr other{};
  if (peer.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
    if (ntohs(v4.sin_port) != port) return false;
    other.s6_addr[10] = other.s6_addr[11] = 0xFF;
    std::memcpy(other.s6_addr + 12, &v4.sin_addr, sizeof v4.sin_addr);
  } else if (peer.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer);
    if (ntohs(v6.sin6_port) != port) return false;
    other = v6.sin6_addr;
  } else {
    return false;
  }
  return std::memcmp(&other, &address, sizeof other) == 0;
}

}  // namespace

size_t cut_sockets_to(const std::string& numeric, uint16_t port) {
  std::unique_ptr<DIR, int (*)(DIR*)> open(opendir("/proc/self/fd"), closedir);
  const std::optional<in6_addr> address = bytes_of(numeric);
  if (!address) return 0;
  size_t cut = 0;
  for (dirent* entry = open ? readdir(open.get()) : nullptr; entry; entry = readdir(open.get())) {
    const std::string_view name = entry->d_name;
    int fd = -1;
    if (std::from_chars(name.data(), name.data() + name.size(), fd).ec != std::errc{}) continue;
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 || !is_end(peer, *address, port)) continue;
    if (shutdown(fd, SHUT_RDWR) == 0) ++cut;
  }
  return cut;
}

}  // namespace tidegate::bridge
