#include "tests/bench/link.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tests/bench/loop.h"

namespace bench {
namespace {

constexpr const char* closed_by_broker = "the broker closed the connection";

std::string error_text(int code) {
  return std::strerror(code);
}

void bind_source(int fd, uint32_t source) {
  // The port is chosen when the target is known: each pair of addresses has all ports to itself.
  int late = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof(late));
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(source);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof(from)) != 0) {
    throw Failure("cannot connect from an address of its own: " + error_text(errno));
  }
}

}  // namespace

Address resolve(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int failed = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) throw Failure("cannot resolve " + host + ": " + gai_strerror(failed));
  Address address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

uint32_t device_address(uint32_t n) {
  constexpr uint32_t first = 0x7F400001;  // 127.64.0.1
  return first + n;
}

TlsTrust::TlsTrust(const std::string& ca_file, const std::string& host)
    : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
  if (SSL_CTX_load_verify_file(context_.get(), ca_file.c_str()) != 1) {
    throw Failure(ca_file + " holds no certificate in PEM form that can be read");
  }
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  X509_VERIFY_PARAM* expected = SSL_CTX_get0_param(context_.get());
  if (X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) != 1) {
    X509_VERIFY_PARAM_set1_host(expected, host.c_str(), host.size());
  }
  // Thousands of clients live here: none holds a buffer while nothing is on its way.
  SSL_CTX_set_mode(context_.get(),
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
}

void Link::Free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

void Link::open(const Address& address, const Path& path) {
  const auto* target = reinterpret_cast<const sockaddr*>(&address.storage);
  fd_ = socket(target->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) throw Failure("cannot open a socket: " + error_text(errno) + " (raise ulimit -n?)");
  int nodelay = path.nodelay ? 1 : 0;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &nodelay, sizeof(nodelay));
  if (path.source != 0) bind_source(fd_, path.source);
  // The kernel refuses at once on loopback, and the answer is waited for elsewhere: EPOLLOUT or EPOLLERR says which.
  if (connect(fd_, target, address.size) != 0 && errno != EINPROGRESS && errno != ECONNREFUSED) {
    throw Failure("cannot connect: " + error_text(errno));
  }
  if (!path.tls) return;
  ssl_.reset(SSL_new(path.tls->native()));
  if (!ssl_ || SSL_set_fd(ssl_.get(), fd_) != 1) throw Failure("OpenSSL gives no connection");
  SSL_set_connect_state(ssl_.get());
}

void Link::close() {
  ssl_.reset();
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Link::cut() {
  if (fd_ < 0) return;
  linger reset{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  close();
}

ssize_t Link::send(const char* bytes, size_t size) {
  if (!ssl_) return plain_outcome(::send(fd_, bytes, size, MSG_NOSIGNAL), EPOLLOUT);
  ERR_clear_error();
  errno = 0;
  return tls_outcome(SSL_write(ssl_.get(), bytes, static_cast<int>(std::min<size_t>(size, 1u << 30))));
}

ssize_t Link::receive(char* bytes, size_t size) {
  if (!ssl_) {
    ssize_t got = ::recv(fd_, bytes, size, 0);
    if (got != 0) return plain_outcome(got, EPOLLIN);
    why_ = closed_by_broker;
    return -1;
  }
  ERR_clear_error();
  errno = 0;
  return tls_outcome(SSL_read(ssl_.get(), bytes, static_cast<int>(size)));
}

ssize_t Link::plain_outcome(ssize_t moved, uint32_t event) {
  if (moved >= 0) return moved;
  awaited_ = event;
  if (errno == EAGAIN || errno == EINTR || errno == ENOTCONN) return 0;
  why_ = error_text(errno);
  return -1;
}

ssize_t Link::tls_outcome(int result) {
  if (result > 0) return result;
  int system_error = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: awaited_ = EPOLLIN; return 0;
    case SSL_ERROR_WANT_WRITE: awaited_ = EPOLLOUT; return 0;
    case SSL_ERROR_ZERO_RETURN: why_ = closed_by_broker; return -1;
    case SSL_ERROR_SYSCALL: why_ = system_error == 0 ? closed_by_broker : error_text(system_error); return -1;
    default: break;
  }
  long verified = SSL_get_verify_result(ssl_.get());
  unsigned long code = ERR_peek_last_error();
  if (verified != X509_V_OK) {
    why_ = std::string("the broker's certificate: ") + X509_verify_cert_error_string(verified);
  } else if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    why_ = closed_by_broker;
  } else {
    const char* reason = ERR_reason_error_string(code);
    why_ = std::string("TLS: ") + (reason ? reason : "broken");
  }
  return -1;
}

}  // namespace bench
