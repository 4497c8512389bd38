// PUBLISH of clients: answers, repeats, aliases, permissions (MQTT 3.3, 4.3).
#include <gtest/gtest.h>

#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

using mqtt::PropertyId;

std::string alias(uint32_t number) {
  return prop(PropertyId::topic_alias, number);
}

struct PublishTest : testing::Test {
  Client& subscriber(std::string_view filter = "#", int qos = 2) {
    Client& client = h.client("s");
    client.subscribe(filter, qos);
    EXPECT_EQ(client.got(), "suback #1 0" + std::to_string(qos));
    return client;
  }
  BrokerHarness h;
};

TEST_F(PublishTest, IsAnsweredByItsQos) {  // [MQTT-2.2.1-5, 3.3.4-1, 4.3.3-11]
  Client& p = h.client("p");
  p.publish("t", "0");
  p.publish("t", "1", {.qos = 1, .id = 5});
  p.publish("t", "2", {.qos = 2, .id = 6});
  p.pubrel(6);
  EXPECT_EQ(p.got(), "puback #5, pubrec #6, pubcomp #6");
}

TEST_F(PublishTest, TellsVersion5ThatNobodyListens) {  // 3.4.2.1: 0x10
  Client& p = h.client("p", {.version = v5});
  p.publish("t", "x", {.qos = 1, .id = 1});
  p.publish("t", "x", {.qos = 2, .id = 2});
  EXPECT_EQ(p.got(), "puback #1 0x10, pubrec #2 0x10");
  p.publish("t", "x", {.qos = 1, .id = 3, .retain = true});  // kept for those to come
  EXPECT_EQ(p.got(), "puback #3");
}

TEST_F(PublishTest, Qos2IsRoutedOnce) {  // [MQTT-4.3.3-10, 4.3.3-12]
  Client& s = subscriber();
  Client& p = h.client("p");
  p.publish("t", "x", {.qos = 2, .id = 1});
  p.publish("t", "x", {.qos = 2, .id = 1, .dup = true});
  p.pubrel(1);
  p.pubrel(1);
  EXPECT_EQ(p.got(), "pubrec #1, pubrec #1, pubcomp #1, pubcomp #1");
  EXPECT_EQ(s.got(), "publish t=x q2 #1");
  p.publish("t", "y", {.qos = 2, .id = 1});  // the id is free again
  EXPECT_EQ(s.got(), "publish t=y q2 #2");
}

TEST_F(PublishTest, Qos1IsRoutedAsOftenAsItComes) {  // [MQTT-4.3.2-5]
  Client& s = subscriber();
  Client& p = h.client("p");
  p.publish("t", "x", {.qos = 1, .id = 1});
  p.publish("t", "x", {.qos = 1, .id = 1, .dup = true});
  EXPECT_EQ(s.got(), "publish t=x q1 #1, publish t=x q1 #2");  // DUP is not passed on [MQTT-3.3.1-3]
}

TEST_F(PublishTest, AnUnknownPubrelIsCompleted) {  // 3.7.2.1: 0x92
  Client& p = h.client("p", {.version = v5});
  p.pubrel(9);
  EXPECT_EQ(p.got(), "pubcomp #9 0x92");
}

TEST_F(PublishTest, APubrelThatComesAgainInAKeptSessionIsASuccess) {
  const ConnectOptions kept{.version = v5, .clean = false, .properties = session_expiry(100)};
  Client& p = h.client("p", kept);
  p.publish("t", "x", {.qos = 2, .id = 1});
  p.pubrel(1);
  p.lose();
  p.connect(kept);
  (void)p.got();
  p.pubrel(1);
  EXPECT_EQ(p.got(), "pubcomp #1");
}

TEST_F(PublishTest, ReceiptsOfACleanSessionGoWithIt) {
  Client& p = h.client("p");
  Client& s = subscriber();
  p.publish("t", "x", {.qos = 2, .id = 1});
  p.lose();
  p.connect({});
  p.publish("t", "y", {.qos = 2, .id = 1});
  EXPECT_EQ(s.got(), "publish t=x q2 #1, publish t=y q2 #2");
}

TEST_F(PublishTest, ReceiptsOfAKeptSessionStay) {
  Client& p = h.client("p", {.clean = false});
  Client& s = subscriber();
  p.publish("t", "x", {.qos = 2, .id = 1});
  p.lose();
  p.connect({.clean = false});
  p.publish("t", "x", {.qos = 2, .id = 1, .dup = true});
  EXPECT_EQ(s.got(), "publish t=x q2 #1");
}

TEST_F(PublishTest, TheGatewaysOwnTopicsAreNotForClients) {
  Client& s = subscriber("$SYS/#", 0);
  Client& p = h.client("p", {.version = v5});
  p.publish("$SYS/broker/version", "x", {.qos = 1, .id = 1});
  p.publish("$SYS/broker/version", "x", {.qos = 2, .id = 2});
  p.publish("$SYS/broker/connection/site/state", "1");
  EXPECT_EQ(p.got(), "puback #1 0x87, pubrec #2 0x87");
  EXPECT_EQ(s.got(), "publish $SYS/broker/connection/site/state=1");
}

TEST_F(PublishTest, TopicsTooDeepAreRefused) {
  h.limits.topic_levels_max = 3;
  h.apply_limits();
  Client& p = h.client("p", {.version = v5});
  p.publish("a/b/c", "x", {.qos = 1, .id = 1, .retain = true});
  p.publish("a/b/c/d", "x", {.qos = 1, .id = 2, .retain = true});
  EXPECT_EQ(p.got(), "puback #1, puback #2 0x87");
}

TEST_F(PublishTest, AnAliasStandsForItsTopic) {  // 3.3.2.3.4
  Client& s = subscriber("#", 0);
  Client& p = h.client("p", {.version = v5});
  p.publish("long/topic", "1", {.properties = alias(1)});
  p.publish("", "2", {.properties = alias(1)});
  p.publish("other", "3", {.properties = alias(1)});
  p.publish("", "4", {.properties = alias(1)});
  EXPECT_EQ(s.got(), "publish long/topic=1, publish long/topic=2, publish other=3, publish other=4");
}

TEST_F(PublishTest, AliasesEndWithTheirConnection) {  // [MQTT-3.3.2-7]
  Client& p = h.client("p", {.version = v5});
  p.publish("t", "1", {.properties = alias(1)});
  p.lose();
  p.connect({.version = v5});
  p.publish("", "2", {.properties = alias(1)});
  EXPECT_EQ(p.got(), "connack 0, disconnect 0x94, closed");
}

TEST_F(PublishTest, EveryAliasUpToTheAnnouncedMaximumIsTaken) {  // [MQTT-3.3.2-12]
  Client& s = subscriber("#", 0);
  Client& p = h.client("p", {.version = v5});
  uint32_t announced = p.connack().integer(PropertyId::topic_alias_maximum).value_or(0);
  ASSERT_GT(announced, 1u);
  for (uint32_t i = 1; i <= announced; ++i) p.publish("t/" + std::to_string(i), "by name", {.properties = alias(i)});
  EXPECT_EQ(s.packets().size(), announced);
  for (uint32_t i = announced; i >= 1; --i) {  // all of them stand at once
    p.publish("", "by alias", {.properties = alias(i)});
    EXPECT_EQ(s.got(), "publish t/" + std::to_string(i) + "=by alias");
  }
}

TEST_F(PublishTest, AnAliasBeyondTheLimitEndsTheConnection) {  // [MQTT-3.3.2-9]
  Client& p = h.client("p", {.version = v5});
  p.publish("t", "1", {.properties = alias(10)});
  EXPECT_TRUE(p.is_open());
  p.publish("t", "1", {.properties = alias(11)});
  EXPECT_EQ(p.got(), "disconnect 0x94, closed");
}

TEST_F(PublishTest, PropertiesTravelUnchangedAndInOrder) {  // [MQTT-3.3.2-17, 3.3.2-18]
  Client& s = h.client("s5", {.version = v5});
  s.subscribe("t", 0);
  (void)s.got();
  std::string properties;
  mqtt::PropertyWriter(properties).user("b", "1").user("a", "2").user("b", "3");
  h.client("p", {.version = v5}).publish("t", "x", {.properties = alias(2) + properties});
  EXPECT_EQ(s.got(), "publish t=x b:1 a:2 b:3");
}

TEST_F(PublishTest, AnExpiredMessageIsNotDelivered) {  // [MQTT-3.3.2-5]
  Client& s = h.client("s5", {.version = v5, .properties = receive_maximum(1)});
  s.subscribe("t", 1);
  Client& p = h.client("p", {.version = v5});
  p.publish("t", "1", {.qos = 1, .id = 1});
  p.publish("t", "2", {.qos = 1, .id = 2, .properties = message_expiry(5)});
  p.publish("t", "3", {.qos = 1, .id = 3, .properties = message_expiry(50)});
  h.advance(Seconds{6});
  s.puback(1);
  EXPECT_EQ(s.got(), "suback #1 01, publish t=1 q1 #1, publish t=3 q1 #2 expiry=44");
  EXPECT_EQ(h.counters().dropped_expired, 1u);
}

TEST_F(PublishTest, OwnMessagesAreRetainedInMemoryAlone) {
  Client& s = subscriber("$SYS/#", 0);
  h.turn([&] { h.broker().publish_own("$SYS/uptime", "1"); });
  EXPECT_EQ(s.got(), "publish $SYS/uptime=1");
  EXPECT_EQ(h.broker().retained().count(), 1u);
  h.crash();
  EXPECT_EQ(h.broker().retained().count(), 0u);
}

}  // namespace
}  // namespace tidegate::test
