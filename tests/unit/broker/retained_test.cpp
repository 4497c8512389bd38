// Retained messages (MQTT 3.3.1.3, 3.8.3.1).
#include <gtest/gtest.h>

#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

using mqtt::RetainHandling;

struct RetainedTest : testing::Test {
  void retain(std::string_view topic, std::string_view payload, int qos = 0, const std::string& properties = {}) {
    if (!publisher) publisher = &h.client("p", {.version = v5});
    publisher->publish(topic, payload, {.qos = qos, .id = 1, .retain = true, .properties = properties});
    if (qos == 2) publisher->pubrel(1);
  }
  // What a new client gets for a subscription, without the SUBACK.
  std::string seen_by_newcomer(std::string_view filter, int qos = 0) {
    Client& c = h.client("new" + std::to_string(++newcomers), {.version = v5});
    c.subscribe(filter, qos);
    std::string text = c.got();
    size_t comma = text.find(", ");
    return comma == text.npos ? "" : text.substr(comma + 2);
  }
  void limit(const std::function<void(broker::Limits&)>& change) {
    change(h.limits);
    h.apply_limits();
  }
  BrokerHarness h;
  Client* publisher = nullptr;
  int newcomers = 0;
};

TEST_F(RetainedTest, TheNewestIsSentToNewSubscriptions) {  // [MQTT-3.3.1-5] [MQTT-3.3.1-6, 3.3.1-8 of 3.1.1]
  retain("t", "1");
  retain("t", "2", 1);
  retain("t", "3", 2);
  EXPECT_EQ(seen_by_newcomer("t", 1), "publish t=3 q1 #1 retain");
}

TEST_F(RetainedTest, AnEmptyOneClears) {  // [MQTT-3.3.1-6, 3.3.1-7]
  retain("t", "1");
  Client& s = h.client("s");
  s.subscribe("t", 0);
  (void)s.got();
  retain("t", "");
  EXPECT_EQ(s.got(), "publish t=");
  EXPECT_EQ(seen_by_newcomer("t"), "");
  h.crash();
  EXPECT_EQ(h.restored().retained, 0u);
}

TEST_F(RetainedTest, SurvivesACrash) {
  retain("a", "1", 1);
  retain("b", "2");
  h.crash();
  publisher = nullptr;
  EXPECT_EQ(h.restored().retained, 2u);
  EXPECT_EQ(seen_by_newcomer("#", 1), "publish a=1 q1 #1 retain, publish b=2 retain");
}

TEST_F(RetainedTest, RunningSubscriptionsGetItUnflaggedUnlessTheyAsk) {  // [MQTT-3.3.1-12, 3.3.1-13]
  Client& plain = h.client("plain", {.version = v5});
  plain.subscribe("t", 0);
  Client& as_published = h.client("rap", {.version = v5});
  as_published.subscribe("t", 0, {.retain_as_published = true});
  retain("t", "x");
  publisher->publish("t", "y");
  EXPECT_EQ(plain.got(), "suback #1 00, publish t=x, publish t=y");
  EXPECT_EQ(as_published.got(), "suback #1 00, publish t=x retain, publish t=y");
}

TEST_F(RetainedTest, RetainHandlingIsKept) {  // [MQTT-3.3.1-9, 3.3.1-10, 3.3.1-11]
  retain("t", "x");
  Client& c = h.client("c", {.version = v5});
  c.subscribe("t", 0, {.retain_handling = RetainHandling::never});
  EXPECT_EQ(c.got(), "suback #1 00");
  c.subscribe("t", 0, {.retain_handling = RetainHandling::send_if_new});
  EXPECT_EQ(c.got(), "suback #1 00");
  c.subscribe("t", 0, {.retain_handling = RetainHandling::send});
  EXPECT_EQ(c.got(), "suback #1 00, publish t=x retain");
  c.unsubscribe("t");
  c.subscribe("t", 0, {.retain_handling = RetainHandling::send_if_new});
  EXPECT_EQ(c.got(), "unsuback #1 00, suback #1 00, publish t=x retain");
}

TEST_F(RetainedTest, SubscribingAgainSendsAgain) {  // [MQTT-3.8.4-4] [MQTT-3.8.4-3 of 3.1.1]
  retain("t", "x");
  Client& c = h.client("c");
  c.subscribe("t", 0);
  c.subscribe("t", 0);
  EXPECT_EQ(c.got(), "suback #1 00, publish t=x retain, suback #1 00, publish t=x retain");
}

TEST_F(RetainedTest, WildcardsFindTheirTopics) {
  for (const char* topic : {"a", "a/b", "a/b/c", "ab", "b", "$own/a"}) retain(topic, "x");
  EXPECT_EQ(seen_by_newcomer("a/#"), "publish a=x retain, publish a/b=x retain, publish a/b/c=x retain");
  EXPECT_EQ(seen_by_newcomer("+"), "publish a=x retain, publish ab=x retain, publish b=x retain");
  EXPECT_EQ(seen_by_newcomer("+/b/#"), "publish a/b=x retain, publish a/b/c=x retain");
  EXPECT_EQ(seen_by_newcomer("a/+"), "publish a/b=x retain");
  EXPECT_EQ(seen_by_newcomer("$own/#"), "publish $own/a=x retain");
  EXPECT_EQ(seen_by_newcomer("#").find("$own"), std::string::npos);  // [MQTT-4.7.2-1]
  EXPECT_EQ(seen_by_newcomer("+/a"), "");
}

TEST_F(RetainedTest, ItsSubscriptionIdentifierIsTold) {  // [MQTT-3.3.4-3]
  retain("t", "x");
  Client& c = h.client("c", {.version = v5});
  c.subscribe("t", 0, {.subscription_id = 7});
  EXPECT_EQ(c.got(), "suback #1 00, publish t=x retain ids=7");
}

TEST_F(RetainedTest, ExpiresAlsoOverARestart) {
  retain("short", "x", 1, message_expiry(10));
  retain("long", "x", 1, message_expiry(100));
  h.advance(Seconds{20});
  EXPECT_EQ(seen_by_newcomer("#"), "publish long=x retain expiry=80");
  h.crash();
  EXPECT_EQ(h.restored().retained, 1u);
  publisher = nullptr;
  EXPECT_EQ(seen_by_newcomer("#"), "publish long=x retain expiry=80");
}

// Seen: whoever publishes under ever new topics with an expiry had filled the limit one day, with what nobody could see.
TEST_F(RetainedTest, WhatHasExpiredMakesRoomWithinAMinute) {
  limit([](auto& l) { l.retained_messages_max = 1; });
  retain("old", "x", 1, message_expiry(10));
  h.advance(Seconds{60});
  EXPECT_EQ(h.broker().retained().count(), 0u);
  retain("new", "x", 1, message_expiry(90));
  EXPECT_EQ(publisher->got(), "puback #1, puback #1");
  h.crash();
  EXPECT_EQ(h.restored().retained, 1u);
  h.advance(Seconds{60});
  EXPECT_EQ(h.broker().retained().count(), 1u);
  h.advance(Seconds{60});
  EXPECT_EQ(h.broker().retained().count(), 0u);
}

TEST_F(RetainedTest, BeyondTheLimitANewTopicIsNotRetained) {
  limit([](auto& l) { l.retained_messages_max = 1; });
  Client& s = h.client("s");
  s.subscribe("#", 1);
  (void)s.got();
  retain("a", "1");
  retain("b", "1");
  EXPECT_EQ(s.got(), "publish a=1, publish b=1");
  retain("a", "2", 1);  // one that replaces has room
  retain("c", "1", 1);
  EXPECT_EQ(publisher->got(), "puback #1, puback #1 0x97");
  EXPECT_EQ(s.got(), "publish a=2 q1 #1");
  EXPECT_EQ(h.counters().dropped_retained_full, 2u);
  retain("a", "");
  retain("c", "1");
  EXPECT_EQ(seen_by_newcomer("#"), "publish c=1 retain");
}

TEST_F(RetainedTest, BeyondTheLimitOfBytesNoneIsBetterThanAStaleOne) {
  limit([](auto& l) { l.retained_bytes_max = 500; });
  retain("a", std::string(100, 'a'));
  retain("b", std::string(100, 'b'));
  for (int size : {101, 200, 100'000}) retain("a", std::string(static_cast<size_t>(size), 'a'));
  EXPECT_LE(h.broker().retained().bytes(), 500u);
  EXPECT_EQ(seen_by_newcomer("#"), "publish b=<100 bytes> retain");
  EXPECT_EQ(h.counters().dropped_retained_full, 1u);
  retain("b", std::string(50, 'b'));
  h.crash();
  EXPECT_EQ(h.restored().retained, 1u);
}

// A client gets all retained messages that it asks for, however little its socket has taken of them meanwhile; but no
// second time while it does not read.
TEST_F(RetainedTest, AllOfThemComeThoughTheyAreMoreThanTheOutputLimit) {
  limit([](broker::Limits& limits) { limits.output_bytes_max = 1000; });
  for (int i = 0; i < 50; ++i) retain("r/" + std::to_string(i), std::string(100, 'x'));
  Client& c = h.client("c");
  c.subscribe("r/#", 0);
  EXPECT_EQ(h.counters().dropped_slow_connection, 0u);
  publisher->publish("r/live", "x");
  EXPECT_EQ(h.counters().dropped_slow_connection, 1u);
  c.subscribe("r/#", 0);  // waits until it has read
  EXPECT_EQ(c.packets().size(), 1 + 50u);
  EXPECT_EQ(c.packets().size(), 1 + 50u);
  EXPECT_EQ(h.counters().dropped_slow_connection, 1u);
}

TEST_F(RetainedTest, TheFiltersOfOneSubscribeAreOneBurst) {
  limit([](broker::Limits& limits) { limits.output_bytes_max = 1000; });
  for (int i = 0; i < 20; ++i) retain("a/" + std::to_string(i), std::string(100, 'x'));
  for (int i = 0; i < 20; ++i) retain("b/" + std::to_string(i), std::string(100, 'x'));
  Client& c = h.client("c");
  c.subscribe({"a/#", "b/#"});
  EXPECT_EQ(c.packets().size(), 1 + 40u);
  EXPECT_EQ(h.counters().dropped_slow_connection, 0u);
  // Asked for the same again and again, it is no more than all there is.
  c.subscribe({"#", "a/#", "b/#", "+/+"});
  EXPECT_EQ(c.packets().size(), 1 + 40u);
  EXPECT_EQ(h.counters().dropped_slow_connection, 80u);
}

}  // namespace
}  // namespace tidegate::test
