// Small packets are not held back for others to join them.
#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include <vector>

#include "tests/scripted/net/rig.h"

namespace tidegate::net {
namespace {

constexpr int fds_max = 1024;

// TCP_NODELAY of every connection that was accepted on `port`.
std::vector<int> nodelay_of_accepted(uint16_t port) {
  std::vector<int> found;
  for (int fd = 0; fd < fds_max; ++fd) {
    sockaddr_in own{}, peer{};
    socklen_t size = sizeof own;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) != 0 || ntohs(own.sin_port) != port) continue;
    size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;  // the listener's
    int on = 0;
    size = sizeof on;
    EXPECT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    found.push_back(on);
  }
  return found;
}

TEST(TcpNodelay, IsOnByDefault) {
  Rig rig;
  Peer peer(rig.port());
  peer.connect("c", true);
  ASSERT_EQ(peer.next(), "connack 0");
  EXPECT_EQ(nodelay_of_accepted(rig.port()), std::vector<int>{1});
}

}  // namespace
}  // namespace tidegate::net
