// A client that does not read is not read: what it may have waiting is bounded, and nothing of it is lost.
#include <gtest/gtest.h>

#include "tests/scripted/net/rig.h"

namespace tidegate::net {
namespace {

constexpr uint64_t output_max = 64 * 1024;
constexpr uint64_t one_read = 64 * 1024;    // what is read at once may be answered beyond the limit
constexpr size_t far_too_much = 64u << 20;  // more than the kernel's buffers ever take
constexpr ConnId first_connection{0, 1};

broker::Limits small_output() {
  broker::Limits limits;
  limits.output_bytes_max = output_max;
  return limits;
}

// Packets that are answered each in its turn, by answers no longer than they.
struct Talk {
  static std::string round(uint16_t id) {
    std::string bytes;
    mqtt::encode(mqtt::Pingreq{}, bytes);
    mqtt::encode(mqtt::Subscribe{id, {{"t", {}}}, {}}, mqtt::Version::v3_1_1, bytes);
    mqtt::encode(mqtt::Publish{"nobody", "x", Qos::at_least_once, false, false, id, {}}, mqtt::Version::v3_1_1, bytes);
    return bytes;
  }
  static uint16_t id(size_t round) { return static_cast<uint16_t>(round % 65'535 + 1); }

  // Sends until nobody takes any more for a while, although there is much to be read; or until it is far too much.
  void talk(Peer& peer, const std::function<bool()>& much_is_unsent) {
    for (int idle = 0; sent < far_too_much && idle < 20;) {
      if (rest.empty()) {
        for (int i = 0; i < 1000; ++i) rest += round(id(rounds++));
      }
      size_t n = peer.send_some(rest);
      if (n == 0 && !peer.is_ready(POLLOUT, Millis{500})) {
        if (much_is_unsent()) return;
        ++idle;
      }
      sent += n;
      rest.erase(0, n);
    }
  }
  // Reads all answers, in order, and sends what is left meanwhile.
  void listen(Peer& peer) {
    for (size_t i = 0; i < rounds; ++i) {
      rest.erase(0, peer.send_some(rest));
      std::string number = " #" + std::to_string(id(i));
      ASSERT_EQ(peer.next(), "pingresp");
      ASSERT_EQ(peer.next(), "suback" + number + " 00");
      ASSERT_EQ(peer.next(), "puback" + number);
    }
  }
  std::string rest;  // not sent yet
  size_t rounds = 0;
  size_t sent = 0;
};

TEST(SlowReader, IsNotReadBeyondItsOutputLimitAndLosesNothing) {
  Rig rig(small_output());
  Peer peer(rig.port());
  peer.connect("slow", true);
  ASSERT_EQ(peer.next(), "connack 0");
  Talk talk;
  auto unsent = [&] { return rig.ask([](CoreLoop& loop) { return loop.unsent_bytes(first_connection); }); };
  talk.talk(peer, [&] { return unsent() > output_max; });
  EXPECT_LT(talk.sent, far_too_much) << "it is read on and on";
  EXPECT_GT(unsent(), output_max);
  EXPECT_LE(unsent(), output_max + one_read);
  Peer other(rig.port());  // nobody else waits
  other.connect("other", true);
  EXPECT_EQ(other.next(), "connack 0");
  talk.listen(peer);  // it is read again
  EXPECT_TRUE(talk.rest.empty());
}

// Retained values of two groups of topics, of QoS 0 and of more bytes each than may wait for one connection.
struct RetainedGroups {
  static constexpr int each = 12;
  const std::string payload = std::string(16 * 1024, 'r');

  void publish(Peer& peer) const {
    for (const char* group : {"a/", "b/"}) {
      for (int i = 0; i < each; ++i) {
        peer.send(mqtt::Publish{group + std::to_string(i), payload, Qos::at_most_once, false, true, 0, {}});
      }
    }
    peer.send(mqtt::Pingreq{});
    ASSERT_EQ(peer.next(), "pingresp");
  }
};

class RetainedBurst : public ::testing::TestWithParam<bool> {};

TEST_P(RetainedBurst, OfTwoSubscribesSentAtOnceArrivesWhole) {
  Rig rig(small_output());
  Peer publisher(rig.port());
  publisher.connect("publisher", true);
  ASSERT_EQ(publisher.next(), "connack 0");
  RetainedGroups groups;
  groups.publish(publisher);
  Peer reader(rig.port());
  reader.connect("reader", GetParam());
  ASSERT_EQ(reader.next(), "connack 0");
  std::string both;
  mqtt::encode(mqtt::Subscribe{1, {{"a/#", {}}}, {}}, mqtt::Version::v3_1_1, both);
  mqtt::encode(mqtt::Subscribe{2, {{"b/#", {}}}, {}}, mqtt::Version::v3_1_1, both);
  ASSERT_EQ(reader.send_some(both), both.size());
  int subacks = 0, messages = 0;
  while (subacks < 2 || messages < 2 * RetainedGroups::each) {
    const std::string packet = reader.next();
    ASSERT_FALSE(packet.empty()) << subacks << " acknowledged, messages of " << messages;
    subacks += packet.starts_with("suback");
    messages += packet.starts_with("publish");
  }
}

INSTANTIATE_TEST_SUITE_P(Sessions, RetainedBurst, ::testing::Bool(),
                         [](const auto& session) { return session.param ? "clean" : "kept"; });

}  // namespace
}  // namespace tidegate::net
