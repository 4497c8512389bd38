#include "gateway/net/plain_channel.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace tidegate::net {
namespace {

bool is_for_later(int number) {
  return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

}  // namespace

Progress PlainChannel::read(std::span<char> to) {
  ssize_t n = ::recv(socket_, to.data(), to.size(), MSG_DONTWAIT);
  if (n > 0) return {Outcome::done, static_cast<size_t>(n)};
  if (n == 0) return {Outcome::ended, 0};
  if (is_for_later(errno)) return {Outcome::wants_read, 0};
  error_ = std::strerror(errno);
  return {Outcome::failed, 0};
}

Progress PlainChannel::write(const iovec* vectors, int count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(vectors);
  message.msg_iovlen = static_cast<size_t>(count);
  ssize_t n = ::sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n >= 0) return {Outcome::done, static_cast<size_t>(n)};
  if (is_for_later(errno)) return {Outcome::wants_write, 0};
  error_ = std::strerror(errno);
  return {Outcome::failed, 0};
}

}  // namespace tidegate::net
