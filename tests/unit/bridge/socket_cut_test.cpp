#include "bridge/socket_cut.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace tidegate::bridge {
namespace {

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }
  // Its own end was shut down, or the other one was and it was told.
  [[nodiscard]] bool is_cut() const {
    pollfd one{fd_, POLLRDHUP, 0};
    return poll(&one, 1, 0) == 1;
  }

 private:
  int fd_;
};

sockaddr_in6 v6(const char* numeric, uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  inet_pton(AF_INET6, numeric, &address.sin6_addr);
  return address;
}

sockaddr_in v4(const char* numeric, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, numeric, &address.sin_addr);
  return address;
}

// A socket of this process whose remote end is a listener on a free port of an address.
template <class Address>
struct Connected {
  Socket listener, socket;
  uint16_t port = 0;
  bool ok = false;

  explicit Connected(Address address)
      : listener(::socket(family(address), SOCK_STREAM | SOCK_CLOEXEC, 0)),
        socket(::socket(family(address), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    ok = bind(listener.fd(), generic, size) == 0 && listen(listener.fd(), 8) == 0 &&
         getsockname(listener.fd(), generic, &size) == 0 && connect(socket.fd(), generic, size) == 0;
    port = ntohs(port_of(address));
  }

 private:
  static int family(const sockaddr_in6&) { return AF_INET6; }
  static int family(const sockaddr_in&) { return AF_INET; }
  static in_port_t port_of(const sockaddr_in6& address) { return address.sin6_port; }
  static in_port_t port_of(const sockaddr_in& address) { return address.sin_port; }
};

TEST(SocketCut, AnySpellingOfAnIpv6AddressCuts) {
  for (const char* spelling :
       {"::1", "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001", "::0:1", "::0.0.0.1", "::1%lo"}) {
    Connected remote(v6("::1", 0));
    if (!remote.ok) GTEST_SKIP() << "no IPv6 here";
    EXPECT_EQ(cut_sockets_to(spelling, remote.port), 1u) << spelling;
    EXPECT_TRUE(remote.socket.is_cut()) << spelling;
  }
}

TEST(SocketCut, AnIpv4AddressAndItsMappedFormAreOne) {
  for (const char* spelling : {"127.0.0.1", "::ffff:127.0.0.1", "::FFFF:7f00:1"}) {
    Connected remote(v4("127.0.0.1", 0));
    ASSERT_TRUE(remote.ok);
    EXPECT_EQ(cut_sockets_to(spelling, remote.port), 1u) << spelling;
    EXPECT_TRUE(remote.socket.is_cut()) << spelling;
  }
}

TEST(SocketCut, ASocketForBothVersionsIsFoundByItsIpv4Address) {
  for (const char* spelling : {"127.0.0.1", "::ffff:127.0.0.1"}) {
    Connected remote(v6("::ffff:127.0.0.1", 0));
    if (!remote.ok) GTEST_SKIP() << "no IPv6 here";
    EXPECT_EQ(cut_sockets_to(spelling, remote.port), 1u) << spelling;
    EXPECT_TRUE(remote.socket.is_cut()) << spelling;
  }
}

TEST(SocketCut, LeavesOtherAddressesAndPortsAlone) {
  Connected remote(v4("127.0.0.1", 0)), neighbour(v4("127.0.0.2", 0));
  ASSERT_TRUE(remote.ok && neighbour.ok);
  EXPECT_EQ(cut_sockets_to("127.0.0.2", remote.port), 0u);
  EXPECT_EQ(cut_sockets_to("::127.0.0.1", remote.port), 0u) << "not mapped: another address";
  EXPECT_EQ(cut_sockets_to("127.0.0.1", neighbour.port), 0u);
  for (const char* no_address : {"", "localhost", "127.0.0", "127.0.0.1.1", ":::1", "%lo"}) {
    EXPECT_EQ(cut_sockets_to(no_address, remote.port), 0u) << no_address;
  }
  EXPECT_FALSE(remote.socket.is_cut());
  EXPECT_FALSE(neighbour.socket.is_cut());
}

}  // namespace
}  // namespace tidegate::bridge
