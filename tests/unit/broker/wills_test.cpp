// Wills (MQTT 3.1.2.5, 3.1.3.2).
#include <gtest/gtest.h>

#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

using mqtt::PropertyId;
using mqtt::ReasonCode;

const WillOptions will{.topic = "will", .payload = "gone", .qos = 1};

WillOptions delayed(uint32_t seconds) {
  WillOptions options = will;
  options.properties = prop(PropertyId::will_delay_interval, seconds);
  return options;
}

struct WillsTest : testing::Test {
  WillsTest() : watcher(h.client("watcher", {.version = v5, .clean = false, .properties = session_expiry(forever)})) {
    watcher.subscribe("will", 1);
    EXPECT_EQ(watcher.got(), "suback #1 01");
  }
  // What came of wills since, acknowledged.
  std::string fired() {
    std::string text = watcher.got();
    for (uint16_t id = 1; id < 20; ++id) watcher.puback(id);
    return text;
  }
  void watch_again() { watcher.connect({.version = v5, .clean = false, .properties = session_expiry(forever)}); }
  BrokerHarness h;
  Client& watcher;
};

TEST_F(WillsTest, FiresWhenTheSocketDies) {  // [MQTT-3.1.2-8]
  h.client("c", {.will = will}).lose();
  EXPECT_EQ(fired(), "publish will=gone q1 #1");
}

TEST_F(WillsTest, FiresWhenTheKeepAliveIsExceeded) {
  h.client("c", {.keep_alive = 10, .will = will});
  h.advance(Seconds{15});
  EXPECT_EQ(fired(), "publish will=gone q1 #1");
}

TEST_F(WillsTest, FiresOnAProtocolError) {
  h.client("c", {.will = will}).send(std::string_view("\xF0\x00", 2));
  EXPECT_EQ(fired(), "publish will=gone q1 #1");
}

TEST_F(WillsTest, FiresOnDisconnectWithWill) {  // 3.14.2.1: 0x04
  h.client("c", {.version = v5, .will = will}).disconnect(ReasonCode::disconnect_with_will);
  EXPECT_EQ(fired(), "publish will=gone q1 #1");
}

TEST_F(WillsTest, IsDiscardedByDisconnect) {  // [MQTT-3.1.2-10, 3.14.4-3]
  h.client("c", {.will = will}).disconnect();
  h.client("d", {.version = v5, .will = will}).disconnect();
  h.crash();
  EXPECT_EQ(h.restored().wills, 0u);
  watch_again();
  EXPECT_EQ(fired(), "connack 0 present");
}

TEST_F(WillsTest, FiresOnTakeOver) {
  h.client("c", {.will = will});
  h.client("c");
  EXPECT_EQ(fired(), "publish will=gone q1 #1");
}

TEST_F(WillsTest, ADelayedWillFiresLate) {  // [MQTT-3.1.3-9]
  h.client("c", {.version = v5, .clean = false, .will = delayed(10), .properties = session_expiry(60)}).lose();
  h.advance(Seconds{9});
  EXPECT_EQ(fired(), "");
  h.advance(Seconds{1});
  EXPECT_EQ(fired(), "publish will=gone q1 #1");
  h.advance(Seconds{100});
  EXPECT_EQ(fired(), "");
}

TEST_F(WillsTest, AReturnInTimeCancelsADelayedWill) {  // [MQTT-3.1.3-9]
  ConnectOptions options{.version = v5, .clean = false, .will = delayed(10), .properties = session_expiry(60)};
  Client& c = h.client("c", options);
  c.lose();
  h.advance(Seconds{9});
  options.will.reset();
  c.connect(options);
  c.lose();
  h.advance(Seconds{100});
  EXPECT_EQ(fired(), "");
}

TEST_F(WillsTest, ATakeOverOfTheSessionCancelsADelayedWill) {
  ConnectOptions options{.version = v5, .clean = false, .will = delayed(10), .properties = session_expiry(60)};
  h.client("c", options);
  Client& fresh = h.newcomer("c");
  fresh.connect(options);
  EXPECT_EQ(fresh.got(), "connack 0 present");
  h.advance(Seconds{20});
  EXPECT_EQ(fired(), "");
}

TEST_F(WillsTest, ANewSessionInItsPlaceFiresADelayedWill) {  // the session ends, 3.1.2.4
  ConnectOptions options{.version = v5, .clean = false, .will = delayed(10), .properties = session_expiry(60)};
  h.client("c", options).lose();
  h.client("c", {.version = v5});
  EXPECT_EQ(fired(), "publish will=gone q1 #1");
}

TEST_F(WillsTest, FiresNoLaterThanTheSessionEnds) {  // [MQTT-3.1.3-9] 3.1.3.2.2
  h.client("c", {.version = v5, .clean = false, .will = delayed(100), .properties = session_expiry(5)}).lose();
  h.advance(Seconds{5});
  EXPECT_EQ(fired(), "publish will=gone q1 #1");
  h.client("d", {.version = v5, .will = delayed(100)}).lose();  // its session ends at once
  EXPECT_EQ(fired(), "publish will=gone q1 #2");
  h.advance(Seconds{200});
  EXPECT_EQ(fired(), "");
}

TEST_F(WillsTest, FiresAfterACrash) {  // [MQTT-3.1.2-7]
  h.client("clean", {.will = will});
  h.client("kept", {.clean = false, .will = will});
  h.crash();
  EXPECT_EQ(h.restored().wills, 2u);
  h.crash();  // once: it fired in the first batch
  EXPECT_EQ(h.restored().wills, 0u);
  watch_again();
  EXPECT_EQ(fired(), "connack 0 present, publish will=gone q1 #1, publish will=gone q1 #2");
}

TEST_F(WillsTest, ADelayedWillFiresAfterACrashUnlessItsClientReturns) {
  ConnectOptions options{.version = v5, .clean = false, .will = delayed(10), .properties = session_expiry(60)};
  h.client("c", options);
  Client& d = h.client("d", options);
  h.crash();
  watch_again();
  d.connect(options);
  h.advance(Seconds{10});
  EXPECT_EQ(fired(), "connack 0 present, publish will=gone q1 #1");
}

// Delay 8 s, connection lost, power lost, back 6 s later: it fired 14 s after the loss.
TEST_F(WillsTest, ADelayedWillIsDueWhenItWasDueThoughTheGatewayWasDown) {  // [MQTT-3.1.3-9]
  ConnectOptions options{.version = v5, .clean = false, .will = delayed(8), .properties = session_expiry(60)};
  struct {
    Seconds down, left;
  } const cases[] = {{Seconds{6}, Seconds{2}}, {Seconds{20}, Seconds{0}}, {Seconds{-3600}, Seconds{8}}};
  for (const auto& [down, left] : cases) {
    h.client("c" + std::to_string(left.count()), options).lose();
    h.now.wall = h.now.wall + down;
    h.crash();
    h.crash();  // how often is all the same
    watch_again();
    std::string text = fired();
    if (left > Seconds{0}) {
      EXPECT_EQ(text, "connack 0 present");
      h.advance(left - Millis{1});
      EXPECT_EQ(fired(), "");
      h.advance(Millis{1});
      text = fired();
    }
    EXPECT_NE(text.find("publish will=gone"), text.npos) << down.count();
  }
}

TEST_F(WillsTest, MayBeRetainedAndClear) {  // [MQTT-3.1.2-15]
  WillOptions options = will;
  options.retain = true;
  h.client("c", {.will = options}).lose();
  EXPECT_EQ(h.broker().retained().count(), 1u);
  options.payload = "";
  h.client("c", {.will = options}).lose();
  EXPECT_EQ(h.broker().retained().count(), 0u);
}

TEST_F(WillsTest, ItsExpiryRunsFromItsPublicationOn) {  // 3.1.3.2.4
  WillOptions options = delayed(10);
  options.properties += message_expiry(30) + prop(PropertyId::content_type, "bye");
  h.client("c", {.version = v5, .clean = false, .will = options, .properties = session_expiry(60)}).lose();
  h.advance(Seconds{10});
  EXPECT_EQ(fired(), "publish will=gone q1 #1 type=bye expiry=30");
}

TEST_F(WillsTest, TheClientItselfMayBeTheOneWhoGetsIt) {
  Client& c = h.client("c", {.clean = false, .will = will});
  c.subscribe("will", 1);
  c.lose();
  c.connect({.clean = false});
  EXPECT_EQ(c.got(), "connack 0 present, publish will=gone q1 #1");
}

TEST_F(WillsTest, OfASessionThatExpiredWhileTheGatewayWasDownFires) {
  h.client("c", {.version = v5, .clean = false, .will = delayed(100), .properties = session_expiry(60)}).lose();
  h.now.wall = h.now.wall + Seconds{60};
  h.crash();
  watch_again();
  EXPECT_EQ(fired(), "connack 0 present, publish will=gone q1 #1");
}

TEST_F(WillsTest, FiresOnceThoughManyEndAtOnce) {
  for (int i = 0; i < 5; ++i) h.client("c" + std::to_string(i), {.keep_alive = 10, .will = will});
  watcher.ping();
  h.advance(Seconds{15});
  std::string text = fired();
  EXPECT_NE(text.find("#5"), text.npos);
  EXPECT_EQ(text.find("#6"), text.npos);
}

}  // namespace
}  // namespace tidegate::test
