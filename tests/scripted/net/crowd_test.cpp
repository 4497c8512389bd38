// Everybody comes at once, as after an outage: nobody is sent away for it, and those who are there are served meanwhile.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <vector>

#include "tests/scripted/net/rig.h"

namespace tidegate::net {
namespace {

constexpr uint64_t plenty = 32u << 20;

uint32_t pending(Rig& rig) {
  return rig.ask([](CoreLoop& loop) { return loop.broker().pending_connects(); });
}

// They were closed. 5,000 TLS clients that lost their link at one moment needed 38,000 connections to be back.
TEST(Crowd, WaitsAtTheDoorWhileTooManyHaveNotSentConnect) {
  Rig rig({}, plenty, 2);
  Peer first(rig.port()), second(rig.port()), third(rig.port()), fourth(rig.port());
  third.connect("third", true);
  fourth.connect("fourth", true);
  ASSERT_TRUE(wait_until([&] { return pending(rig) == 2; }));
  EXPECT_EQ(rig.ask([](CoreLoop& loop) { return loop.connections_accepted(); }), 2u);
  first.connect("first", true);
  EXPECT_EQ(first.next(), "connack 0");
  EXPECT_EQ(third.next(), "connack 0");
  EXPECT_EQ(fourth.next(), "connack 0");
  second.connect("second", true);
  EXPECT_EQ(second.next(), "connack 0");
  EXPECT_EQ(rig.ask([](CoreLoop& loop) { return loop.connections_refused(); }), 0u);
}

TEST(Crowd, IsLetInWhenThoseInFrontSayNothingInTime) {
  broker::Limits limits;
  limits.connect_timeout = Seconds{1};
  Rig rig(limits, plenty, 1);
  Peer silent(rig.port()), waiting(rig.port());
  waiting.connect("waiting", true);
  EXPECT_EQ(silent.next(), "closed");
  EXPECT_EQ(waiting.next(), "connack 0");
}

// A hundred silent connections of one host kept everybody out.
TEST(Crowd, IsLetInBySilentOnesThatHadTheirTime) {
  Rig rig({}, plenty, 2, Millis{200});
  Peer first(rig.port()), second(rig.port());
  ASSERT_TRUE(wait_until([&] { return pending(rig) == 2; }));
  Peer newcomer(rig.port());
  newcomer.connect("newcomer", true);
  EXPECT_EQ(newcomer.next(), "connack 0");
  EXPECT_EQ(first.next(), "closed");
  second.connect("second", true);
  EXPECT_EQ(second.next(), "connack 0");
  EXPECT_EQ(rig.ask([](CoreLoop& loop) { return loop.guards().counts().gave_way; }), 1u);
}

TEST(Crowd, IsLetInWhenTheLimitIsRaised) {
  Rig rig({}, plenty, 1);
  Peer silent(rig.port()), waiting(rig.port());
  waiting.connect("waiting", true);
  ASSERT_TRUE(wait_until([&] { return pending(rig) == 1; }));
  rig.ask([](CoreLoop& loop) {
    loop.set_limits({}, 1000, 2, plenty);
    return true;
  });
  EXPECT_EQ(waiting.next(), "connack 0");
}

// Nobody counts the connections of each address until somebody limits them.
TEST(Crowd, OfOneAddressIsCountedFromBeforeItWasLimited) {
  Rig rig;
  Peer first(rig.port()), second(rig.port());
  first.connect("first", true);
  second.connect("second", true);
  EXPECT_EQ(first.next(), "connack 0");
  EXPECT_EQ(second.next(), "connack 0");
  auto limit_to = [&](uint32_t connections) {
    return rig.ask([&](CoreLoop& loop) {
      ListenerOptions options = loop.listeners().front()->options();
      options.admission.connections_per_address_max = connections;
      return loop.update_listener(options);
    });
  };
  ASSERT_TRUE(limit_to(2));
  EXPECT_EQ(Peer(rig.port()).next(), "closed");
  ASSERT_TRUE(limit_to(3));
  Peer third(rig.port());
  third.connect("third", true);
  EXPECT_EQ(third.next(), "connack 0");
  EXPECT_EQ(Peer(rig.port()).next(), "closed");
}

// A handshake whose every step costs the processor so much, and that always has a next one.
class CostlyChannel final : public Channel {
 public:
  CostlyChannel(Millis cost, std::atomic<int>& steps) : cost_(cost), steps_(steps) {}
  Outcome open() override {
    ++steps_;
    const auto until = std::chrono::steady_clock::now() + cost_;
    while (std::chrono::steady_clock::now() < until) {
    }
    return Outcome::wants_read;
  }
  Progress read(std::span<char>) override { return {}; }
  [[nodiscard]] bool has_pending() const override { return false; }
  Progress write(const iovec*, int) override { return {}; }
  [[nodiscard]] std::string error() const override { return ""; }

 private:
  const Millis cost_;
  std::atomic<int>& steps_;
};

// Comes again and again, at once or after a pause, and sees how many steps were taken in between.
struct Passer {
  explicit Passer(Millis between) : pause(between) {}
  void pass(CoreLoop& loop) {
    int now = steps;
    if (seen) most = std::max(most, now - *seen);
    seen = now;
    if (now >= enough) {
      done = true;
    } else if (pause == Millis{0}) {
      loop.post([this, &loop] { pass(loop); });
    } else {
      auto timer = std::make_shared<Timer>(loop.io(), pause);
      timer->async_wait([this, &loop, timer](const error_code&) { pass(loop); });
    }
  }
  static constexpr int enough = 60;
  const Millis pause;
  std::atomic<int> steps{0};
  std::optional<int> seen;
  int most = 0;
  std::atomic<bool> done{false};
};

int most_steps_between(Millis cost, Millis pause) {
  Passer passer(pause);
  std::vector<int> peers;
  Rig rig;
  rig.ask([&](CoreLoop& loop) {
    for (int i = 0; i < 30; ++i) {
      int ends[2];
      TIDEGATE_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
      peers.push_back(ends[0]);
      TIDEGATE_CHECK(::send(ends[0], "x", 1, MSG_NOSIGNAL) == 1);  // never read: always ready for the next step
      loop.add_connection(Socket(loop.io(), Stream(AF_UNIX, 0), ends[1]), *loop.listeners().front(),
                          std::make_unique<CostlyChannel>(cost, passer.steps), "");
    }
    passer.pass(loop);
    return true;
  });
  EXPECT_TRUE(wait_until([&] { return passer.done.load(); }));
  for (int peer : peers) ::close(peer);
  return passer.most;
}

TEST(Crowd, HandshakesTakeABoundedShareOfEachTurn) {
  EXPECT_LE(most_steps_between(Millis{1}, Millis{1}), 8);  // 4 ms a turn; a timer may miss one
  EXPECT_LE(most_steps_between(Millis{5}, Millis{1}), 2);
}

// 5,000 lost links are as many events: with 4 ms of handshakes for each 128 of them, who came after them waited long.
TEST(Crowd, HandshakesGoOnStepByStepWhileOthersWait) {
  EXPECT_EQ(most_steps_between(Millis{1}, Millis{0}), 1);
}

}  // namespace
}  // namespace tidegate::net
