// A socket of a client, plain or under TLS: bytes out, bytes in, never waiting. One thread; a TlsTrust is for all.
#pragma once

#include <netinet/in.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

extern "C" {
struct ssl_st;
struct ssl_ctx_st;
}

namespace bench {

// IPv4 or IPv6, resolved once.
struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};
Address resolve(const std::string& host, uint16_t port);

// What all TLS clients of a run share: whom they believe, and that a server has to be `host`. No sessions are resumed:
// each connection costs a whole handshake, as after an outage that outlived the tickets.
class TlsTrust {
 public:
  // Throws Failure where `ca_file` is no use.
  TlsTrust(const std::string& ca_file, const std::string& host);
  [[nodiscard]] ssl_ctx_st* native() const { return context_.get(); }

 private:
  std::shared_ptr<ssl_ctx_st> context_;
};

// How a client reaches the broker.
struct Path {
  std::shared_ptr<const TlsTrust> tls;  // none: plain
  uint32_t source = 0;                  // IPv4 address that it comes from, host order; 0: the kernel chooses
  bool nodelay = true;
};

// The n-th address of the loopback network that stands for a device of its own.
[[nodiscard]] uint32_t device_address(uint32_t n);

class Link {
 public:
  ~Link() { close(); }
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // REQUIRES: not open. Throws Failure where this machine gives no socket; what the broker does shows at the first byte.
  void open(const Address& address, const Path& path);
  void close();
  void cut();  // as if the link had gone: a reset, nothing more is said

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

  // Bytes moved; 0: none now, and `awaited` says for which epoll event; -1: it is over, and `why` says what happened.
  // The handshake goes on inside of both.
  ssize_t send(const char* bytes, size_t size);
  ssize_t receive(char* bytes, size_t size);
  [[nodiscard]] uint32_t awaited() const { return awaited_; }
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  ssize_t plain_outcome(ssize_t moved, uint32_t event);
  ssize_t tls_outcome(int result);

  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  int fd_ = -1;
  uint32_t awaited_ = 0;
  std::unique_ptr<ssl_st, Free> ssl_;
  std::string why_;
};

}  // namespace bench
