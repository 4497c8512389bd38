#include "bridge/tcp_probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace tidegate::bridge {
namespace {

std::string words(int error) {
  return std::generic_category().message(error);
}

// 0, or the error of a connect that did not come about within `limit`.
int connect_error(int fd, const sockaddr_storage& to, socklen_t size, Millis limit) {
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), size) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd wait{fd, POLLOUT, 0};
  if (poll(&wait, 1, static_cast<int>(limit.count())) <= 0) return ETIMEDOUT;
  int error = 0;
  socklen_t error_size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size);
  return error;
}

}  // namespace

std::string tcp_failure_of(const std::string& numeric, uint16_t port, Millis limit) {
  sockaddr_storage to{};
  socklen_t size = 0;
  auto& v4 = reinterpret_cast<sockaddr_in&>(to);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(to);
  if (inet_pton(AF_INET, numeric.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    size = sizeof v4;
  } else if (inet_pton(AF_INET6, numeric.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    size = sizeof v6;
  } else {
    return words(EINVAL);
  }
  const int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return words(errno);
  const int error = connect_error(fd, to, size, limit);
  close(fd);
  return error == 0 ? std::string() : words(error);
}

}  // namespace tidegate::bridge
