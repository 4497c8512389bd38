#include "gateway/net/proxy_channel.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "gateway/net/proxy_header.h"

namespace tidegate::net {

// What follows the header belongs to the next one, so the bytes are looked at before they are taken.
Outcome ProxyChannel::open() {
  char bytes[proxy_header_bytes_max];
  ssize_t n = ::recv(socket_, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return Outcome::wants_read;
  if (n <= 0) return Outcome::ended;
  size_t before = seen_.size();
  seen_.append(bytes, static_cast<size_t>(n));
  ProxyHeader header = parse_proxy_header(seen_);
  if (header.state == ProxyHeader::State::malformed) {
    error_ = "no PROXY header before its bytes, which proxy_protocol asks for";
    return Outcome::failed;
  }
  bool complete = header.state == ProxyHeader::State::complete;
  size_t taken = complete ? header.size - before : static_cast<size_t>(n);
  if (::recv(socket_, bytes, taken, MSG_DONTWAIT) != static_cast<ssize_t>(taken)) {
    error_ = std::strerror(errno);
    return Outcome::failed;
  }
  if (!complete) return Outcome::wants_read;
  client_ = std::move(header.client);
  return Outcome::done;
}

}  // namespace tidegate::net
