// SUBSCRIBE and UNSUBSCRIBE (MQTT 3.8, 3.10) and who gets what (3.3.4, 4.7).
#include <gtest/gtest.h>

#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

struct SubscribeTest : testing::Test {
  void limit(const std::function<void(broker::Limits&)>& change) {
    change(h.limits);
    h.apply_limits();
  }
  BrokerHarness h;
};

// [MQTT-3.3.4-2, 3.3.4-4, 3.3.4-5]
TEST_F(SubscribeTest, OverlappingFiltersGiveOneCopyWithTheHighestQosAndAllIdentifiers) {
  Client& c = h.client("c", {.version = v5});
  c.subscribe("a/b", 0, {.subscription_id = 1});
  c.subscribe("a/+", 2, {.subscription_id = 2});
  c.subscribe("#", 1);
  c.subscribe("a/#", 1, {.subscription_id = 300});
  (void)c.got();
  Client& p = h.client("p");
  p.publish("a/b", "x", {.qos = 2, .id = 1});
  std::string text = c.got();
  EXPECT_EQ(text.substr(0, 24), "publish a/b=x q2 #1 ids=");
  for (const char* id : {"1", "2", "300"}) EXPECT_NE(text.find(id, 24), text.npos) << text;
  p.publish("a/b", "x");
  EXPECT_EQ(c.got().find("publish a/b=x ids="), 0u);
  p.publish("a/c", "x");  // those alone that match [MQTT-3.3.4-3]
  text = c.got();
  EXPECT_TRUE(text == "publish a/c=x ids=2,300" || text == "publish a/c=x ids=300,2") << text;
}

TEST_F(SubscribeTest, NoLocalSparesThePublisherAlone) {  // [MQTT-3.8.3-3]
  Client& a = h.client("a", {.version = v5});
  Client& b = h.client("b", {.version = v5});
  for (Client* c : {&a, &b}) c->subscribe("t", 0, {.no_local = true});
  a.publish("t", "x");
  EXPECT_EQ(a.got(), "suback #1 00");
  EXPECT_EQ(b.got(), "suback #1 00, publish t=x");
  a.subscribe("#", 0);  // without no local
  a.publish("t", "y");
  EXPECT_EQ(a.got(), "suback #1 00, publish t=y");
}

TEST_F(SubscribeTest, ASecondSubscriptionToAFilterReplacesTheFirst) {  // [MQTT-3.8.4-3]
  Client& c = h.client("c", {.version = v5});
  c.subscribe("t", 2, {.no_local = true, .subscription_id = 9});
  c.subscribe("t", 0);
  c.publish("t", "x", {.qos = 1, .id = 1});
  EXPECT_EQ(c.got(), "suback #1 02, suback #1 00, publish t=x, puback #1");
  EXPECT_EQ(h.broker().subscriptions(), 1u);
}

// The disk stands still: one message comes before the second SUBSCRIBE, one before its SUBACK, one after. Wherever the
// power goes, whoever publishes has no answer or the subscriber has the message.
TEST_F(SubscribeTest, NothingIsLostWhileASubscriptionIsReplaced) {  // [MQTT-3.8.4-4] [MQTT-3.8.4-3 of 3.1.1]
  for (size_t written = 0; written <= 4; ++written) {
    BrokerHarness b;
    Client& c = b.client("c", {.clean = false});
    c.subscribe("t", 1);
    EXPECT_EQ(c.got(), "suback #1 01");
    Client& p = b.client("p");
    b.hold_disk();
    p.publish("t", "before", {.qos = 1, .id = 1});
    c.subscribe("t", 2, {.id = 2});
    p.publish("t", "meanwhile", {.qos = 1, .id = 2});
    for (size_t i = 0; i < std::min<size_t>(written, 3); ++i) b.commit();
    if (written >= 3) {
      EXPECT_EQ(c.got(), "publish t=before q1 #1, suback #2 02, publish t=meanwhile q1 #2");
      p.publish("t", "after", {.qos = 1, .id = 3});
    }
    if (written > 3) b.commit();
    std::string answered = p.got();
    b.crash();
    b.free_disk();
    c.connect({.clean = false});
    std::string text = c.got();
    const char* payloads[] = {"before", "meanwhile", "after"};
    for (size_t i = 0; i < 3; ++i) {
      if (answered.find("#" + std::to_string(i + 1)) == answered.npos) continue;
      EXPECT_NE(text.find(std::string("t=") + payloads[i]), text.npos) << written << ": " << text;
    }
    EXPECT_EQ(b.broker().subscriptions(), 1u);
  }
}

TEST_F(SubscribeTest, UnsubscribeTellsVersion5WhatWasThere) {  // [MQTT-3.10.4-1, 3.10.4-4, 3.10.4-5, 3.11.3-1]
  Client& c = h.client("c", {.version = v5});
  c.subscribe("t", 0);
  c.unsubscribe("t", 2);
  c.unsubscribe("t", 3);
  c.unsubscribe("a#", 4);
  c.publish("t", "x");
  EXPECT_EQ(c.got(), "suback #1 00, unsuback #2 00, unsuback #3 11, unsuback #4 8f");
  Client& old = h.client("old");
  old.unsubscribe("nothing", 5);
  EXPECT_EQ(old.got(), "unsuback #5");  // [MQTT-3.10.4-5 of 3.1.1]
  EXPECT_EQ(h.broker().subscriptions(), 0u);
}

TEST_F(SubscribeTest, WhatIsQueuedIsDeliveredAfterUnsubscribe) {  // [MQTT-3.10.4-3]
  Client& c = h.client("c", {.version = v5, .properties = receive_maximum(1)});
  c.subscribe("t", 1);
  Client& p = h.client("p");
  p.publish("t", "1", {.qos = 1});
  p.publish("t", "2", {.qos = 1});
  c.unsubscribe("t");
  c.puback(1);
  EXPECT_EQ(c.got(), "suback #1 01, publish t=1 q1 #1, unsuback #1 00, publish t=2 q1 #2");
}

TEST_F(SubscribeTest, InvalidFiltersAreRefusedOneByOne) {  // [MQTT-4.7.1-1, 4.7.1-2]
  Client& c = h.client("c", {.version = v5});
  for (const char* filter : {"a#", "#/a", "a+/b", ""}) c.subscribe(filter, 1);
  EXPECT_EQ(c.got(), "suback #1 8f, suback #1 8f, suback #1 8f, suback #1 8f");
  Client& old = h.client("old");
  for (const char* filter : {"a#", "+a"}) old.subscribe(filter, 1);
  EXPECT_EQ(old.got(), "suback #1 80, suback #1 80");
}

// [MQTT-3.8.4-1, 3.8.4-2, 3.8.4-5, 3.8.4-6, 3.8.4-7, 3.9.3-1, 2.2.1-6]
TEST_F(SubscribeTest, EachFilterOfOnePacketHasItsCode) {
  Client& c = h.client("c");
  c.send(
      std::string_view("\x82\x0f\x00\x07\x00\x01"
                       "a\x01\x00\x02"
                       "#b\x00\x00\x01"
                       "c\x02",
                       17));
  EXPECT_EQ(c.got(), "suback #7 01 80 02");
}

TEST_F(SubscribeTest, LimitsAreKept) {
  limit([](auto& l) {
    l.subscriptions_max = 2;
    l.topic_levels_max = 3;
  });
  Client& c = h.client("c", {.version = v5});
  c.subscribe("a/b/c/d", 1);
  c.subscribe("a/b/c", 1);
  c.subscribe("b", 1);
  c.subscribe("c", 1);
  c.subscribe("b", 2);  // a replacement has room
  EXPECT_EQ(c.got(), "suback #1 8f, suback #1 01, suback #1 01, suback #1 97, suback #1 02");
  Client& old = h.client("old");
  for (const char* filter : {"a", "b", "c"}) old.subscribe(filter, 0);
  EXPECT_EQ(old.got(), "suback #1 00, suback #1 00, suback #1 80");
}

TEST_F(SubscribeTest, WildcardsDoNotSeeReservedTopics) {  // [MQTT-4.7.2-1]
  Client& c = h.client("c");
  for (const char* filter : {"#", "+/x", "$own/x"}) c.subscribe(filter, 0);
  (void)c.got();
  Client& p = h.client("p");
  p.publish("$own/x", "1");
  p.publish("$own/y", "2");
  EXPECT_EQ(c.got(), "publish $own/x=1");
}

TEST_F(SubscribeTest, HashMatchesItsParent) {  // 4.7.1.2, [MQTT-3.8.3-2 of 3.1.1]
  Client& c = h.client("c");
  c.subscribe("a/#", 0);
  (void)c.got();
  for (const char* topic : {"a", "a/", "a/b/c", "ab"}) h.client("p").publish(topic, "x");
  EXPECT_EQ(c.got(), "publish a=x, publish a/=x, publish a/b/c=x");
}

TEST_F(SubscribeTest, SubscriptionsSurviveACrashWithTheirOptions) {
  ConnectOptions kept{.version = v5, .clean = false, .properties = session_expiry(forever)};
  Client& c = h.client("c", kept);
  c.subscribe("a", 1, {.no_local = true, .retain_as_published = true, .subscription_id = 5});
  c.subscribe("b", 1);
  c.subscribe("c", 1);
  c.unsubscribe("b");
  h.crash();
  EXPECT_EQ(h.broker().subscriptions(), 2u);
  c.connect(kept);
  EXPECT_EQ(c.got(), "connack 0 present");
  c.publish("a", "own");
  Client& p = h.client("p");
  p.publish("a", "x", {.retain = true});
  p.publish("b", "x");
  p.publish("c", "x");
  EXPECT_EQ(c.got(), "publish a=x retain ids=5, publish c=x");
}

TEST_F(SubscribeTest, SubscriptionsEndWithTheirSession) {
  Client& c = h.client("c");
  c.subscribe("a/+/#", 1);
  c.subscribe("a", 1);
  c.lose();
  EXPECT_EQ(h.broker().subscriptions(), 0u);
  h.client("k", {.clean = false}).subscribe("a", 1);
  h.client("k");
  EXPECT_EQ(h.broker().subscriptions(), 0u);
}

TEST_F(SubscribeTest, AnotherBrokersBridgeGetsNoEchoAndRetainedFlags) {  // protocol level 0x84
  Client& b = h.client("b", {.bridge = true});
  b.subscribe("t", 1);
  b.publish("t", "own", {.qos = 1, .id = 3});
  EXPECT_EQ(b.got(), "suback #1 01, puback #3");
  h.client("p").publish("t", "x", {.retain = true});
  EXPECT_EQ(b.got(), "publish t=x retain");
}

}  // namespace
}  // namespace tidegate::test
