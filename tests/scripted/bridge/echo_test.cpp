// What a bridge takes for echoes of its own messages, over a link that takes a message only at the test's word.
#include <gtest/gtest.h>

#include <deque>

#include "bridge/cloud_link.h"
#include "tests/scripted/bridge/rig.h"

namespace tidegate::bridge {
namespace {

// A remote behind a link: connects at once, acknowledges at once what the link takes.
class Remote {
 public:
  // The link refuses as many calls of publish, with these errors.
  void refuse(std::deque<ErrorCode> errors) {
    std::lock_guard lock(mutex_);
    refusals_ = std::move(errors);
  }
  [[nodiscard]] LinkFactory link() {
    return [this](LinkEvents& events) {
      events_ = &events;
      return std::make_unique<Link>(*this);
    };
  }
  // Sends a message as often as told. Returns how many of them the bridge dropped as echoes.
  size_t send(const Rig& rig, const std::string& topic, const std::string& payload, size_t count) {
    const size_t before = rig.inbound_count();
    for (size_t i = 0; i < count; ++i) {
      Message message;
      message.topic = topic;
      message.payload = payload;
      EXPECT_TRUE(events_->message(message));
    }
    return count - (rig.inbound_count() - before);
  }

 private:
  class Link : public CloudLink {
   public:
    explicit Link(Remote& remote) : remote_(remote) {}
    Status connect(const ConnectRequest&) override {
      remote_.events_->connected({});
      return {};
    }
    Status publish(LinkToken token, MessagePtr, Qos, bool, Seconds) override {
      std::lock_guard lock(remote_.mutex_);
      if (!remote_.refusals_.empty()) {
        const ErrorCode code = remote_.refusals_.front();
        remote_.refusals_.pop_front();
        return fail(code, "refused by the test");
      }
      remote_.events_->acknowledged(token);
      return {};
    }
    Status subscribe(std::span<const RemoteFilter> filters) override {
      remote_.events_->subscribed(std::vector<int>(filters.size(), 0));
      return {};
    }
    void disconnect(Millis) override {}
    void close() override {}

   private:
    Remote& remote_;
  };

  LinkEvents* events_ = nullptr;
  std::mutex mutex_;
  std::deque<ErrorCode> refusals_;
};

struct Echoes : testing::Test {
  Remote remote;
  Rig rig;

  void start() {
    Options o = Rig::options(1);
    o.protocol_version = ProtocolVersion::v311;
    o.rules = {{.topic = "#", .direction = Direction::both}};
    rig.start(o, {}, remote.link());
    ASSERT_TRUE(rig.wait_for(LinkState::connected));
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
  EXPECT_EQ(remote.send(rig, "up/1", "1", 3), 1u);
}

TEST_F(Echoes, NoneForTriesThatFoundTheLinkFull) {
  start();
  remote.refuse({3, ErrorCode::no_space});
  rig.append(1);
  ASSERT_TRUE(rig.drained());
  EXPECT_EQ(remote.send(rig, "up/1", "1", 3), 1u) << "of the fourth try";
}

TEST_F(Echoes, NoneForATryThatFoundTheConnectionLost) {
  start();
  remote.refuse({ErrorCode::not_available});
  rig.append(1);
  ASSERT_TRUE(rig.drained());
  EXPECT_EQ(rig.bridge().status().connects, 2u);
  EXPECT_EQ(remote.send(rig, "up/1", "1", 3), 1u) << "of the second connection";
}

TEST_F(Echoes, NoneForQos0TriesThatFoundTheLinkFull) {
  start();
  remote.refuse({3, ErrorCode::no_space});
  offer_qos0();
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.sent_qos0 == 1; }));
  EXPECT_EQ(remote.send(rig, "live", "x", 3), 1u) << "of the fourth try";
}

TEST_F(Echoes, NoneForAQos0MessageThatWasDropped) {
  start();
  remote.refuse({ErrorCode::not_available});
  offer_qos0();
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.dropped.qos0_link_down == 1; }));
  EXPECT_EQ(remote.send(rig, "live", "x", 1), 0u);
}

}  // namespace
}  // namespace tidegate::bridge
