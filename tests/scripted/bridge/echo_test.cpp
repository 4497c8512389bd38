// What a bridge takes for echoes of its own messages, over a link that takes a message only at the test's word.
#include <gtest/gtest.h>

#include <deque>

#include "tests/scripted/bridge/fake_link.h"
#include "tests/scripted/bridge/rig.h"

namespace tidegate::bridge {
namespace {

struct Echoes : testing::Test {
  FakeRemote remote;
  Rig rig;

  void start() {
    Options o = Rig::options(1);
    o.protocol_version = ProtocolVersion::v311;
    o.rules = {{.topic = "#", .direction = Direction::both}};
    rig.start(o, {}, remote.link());
    ASSERT_TRUE(rig.wait_for(LinkState::connected));
  }
  // The link refuses as many calls of publish, with these errors.
  void refuse(std::deque<ErrorCode> errors) {
    remote.on_publish(
        [left = std::move(errors)](LinkEvents& events, LinkToken token, const Message&) mutable -> Status {
          if (left.empty()) {
            events.acknowledged(token);
            return {};
          }
          const ErrorCode code = left.front();
          left.pop_front();
          return fail(code, "refused by the test");
        });
  }
  // The remote sends a message as often as told. Returns how many of them the bridge dropped as echoes.
  size_t dropped_of(size_t count, const std::string& topic, const std::string& payload) {
    const size_t before = rig.inbound_count();
    for (size_t i = 0; i < count; ++i) {
      Message message;
      message.topic = topic;
      message.payload = payload;
      EXPECT_TRUE(remote.events().message(message, 0));
    }
    return count - (rig.inbound_count() - before);
  }
  void offer_qos0() {
    auto message = std::make_shared<Message>();
    message->topic = "live";
    message->payload = "x";
    ASSERT_TRUE(rig.bridge().offer_qos0(message));
  }
};

TEST_F(Echoes, OneForEachMessageThatWasSent) {
  start();
  rig.append(1);
  ASSERT_TRUE(rig.drained());
  EXPECT_EQ(dropped_of(3, "up/1", "1"), 1u);
}

TEST_F(Echoes, NoneForTriesThatFoundTheLinkFull) {
  start();
  refuse({3, ErrorCode::no_space});
  rig.append(1);
  ASSERT_TRUE(rig.drained());
  EXPECT_EQ(dropped_of(3, "up/1", "1"), 1u) << "of the fourth try";
}

TEST_F(Echoes, NoneForATryThatFoundTheConnectionLost) {
  start();
  refuse({ErrorCode::not_available});
  rig.append(1);
  ASSERT_TRUE(rig.drained());
  EXPECT_EQ(rig.bridge().status().connects, 2u);
  EXPECT_EQ(dropped_of(3, "up/1", "1"), 1u) << "of the second connection";
}

TEST_F(Echoes, NoneForQos0TriesThatFoundTheLinkFull) {
  start();
  refuse({3, ErrorCode::no_space});
  offer_qos0();
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.sent_qos0 == 1; }));
  EXPECT_EQ(dropped_of(3, "live", "x"), 1u) << "of the fourth try";
}

TEST_F(Echoes, NoneForAQos0MessageThatWasDropped) {
  start();
  refuse({ErrorCode::not_available});
  offer_qos0();
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.dropped.qos0_link_down == 1; }));
  EXPECT_EQ(dropped_of(1, "live", "x"), 0u);
}

}  // namespace
}  // namespace tidegate::bridge
