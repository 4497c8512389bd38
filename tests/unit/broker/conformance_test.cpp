// Statements of the standards that no other test is about (gateway/mqtt/CONFORMANCE.md has all of them).
#include <gtest/gtest.h>

#include "gateway/mqtt/decode.h"
#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

using mqtt::PropertyId;
using mqtt::ReasonCode;

struct ConformanceTest : testing::Test {
  // A client that has subscribed and read its SUBACK.
  Client& subscriber(std::string id, std::string_view filter, int qos, const ConnectOptions& options = {}) {
    Client& client = h.client(std::move(id), options);
    client.subscribe(filter, qos);
    EXPECT_EQ(client.got(), "suback #1 0" + std::to_string(qos));
    return client;
  }
  // CONNECT of version 3.1.1, clean session, and what is to follow it in the same bytes.
  static std::string connect_and(const std::string& rest) {
    return std::string("\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01x", 15) + rest;
  }
  BrokerHarness h;
};

TEST_F(ConformanceTest, ASessionIsKnownByItsClientIdentifierAlone) {  // [MQTT-3.1.3-2, 3.1.3-5, 3.1.2-5, 3.1.2-6]
  for (const char* id : {"a", "0123456789abcdefghijklm", "nopqrstuvwxyzABCDEFGHIJ", "KLMNOPQRSTUVWXYZ"}) {
    subscriber(id, id, 1, {.clean = false}).lose();
  }
  h.client("p").publish("a", "for a", {.qos = 1});
  Client& other = h.newcomer("A");
  other.connect({.clean = false});
  EXPECT_EQ(other.got(), "connack 0");
  Client& same = h.newcomer("a");
  same.connect({.clean = false});
  EXPECT_EQ(same.got(), "connack 0 present, publish a=for a q1 #1");
}

TEST_F(ConformanceTest, NothingBehindARefusedConnectIsLookedAt) {  // [MQTT-3.1.4-6]
  Client& s = subscriber("s", "#", 0);
  h.listener.allow_anonymous = false;
  Client& x = h.newcomer("x");
  x.open();
  x.send(connect_and(std::string("\x31\x04\x00\x01tx", 6)));
  EXPECT_EQ(x.got(), "connack 5, closed");
  EXPECT_EQ(s.got(), "");
  EXPECT_EQ(h.broker().retained().count(), 0u);
}

TEST_F(ConformanceTest, ConnackIsTheFirstAnswerAndTheOnlyOfItsKind) {  // [MQTT-3.2.0-1, 3.2.0-2]
  Client& x = h.newcomer("x");
  x.open();
  x.send(connect_and(std::string("\xc0\x00\x82\x06\x00\x07\x00\x01t\x01\x32\x06\x00\x01t\x00\x09y", 18)));
  EXPECT_EQ(x.got(), "connack 0, pingresp, suback #7 01, publish t=y q1 #1, puback #9");
}

TEST_F(ConformanceTest, NoDisconnectGoesBeforeConnack) {  // [MQTT-3.14.0-1]
  Client& x = h.newcomer("x");
  x.open(v5);
  x.send(std::string_view("\x10\x0e\x00\x04MQTT\x05\x03\x00\x00\x00\x00\x01x", 16));  // the reserved flag
  EXPECT_EQ(x.got(), "connack 0x81, closed");
}

TEST_F(ConformanceTest, DisconnectIsTheLastPacketAndBearsNoExpiry) {  // [MQTT-3.14.2-2, 3.14.4-1, 3.14.4-2]
  Client& s = subscriber("s", "t", 1, {.version = v5, .clean = false, .properties = session_expiry(60)});
  s.publish("", "no topic and no alias");
  h.client("p").publish("t", "x", {.qos = 1});
  std::vector<std::string> packets = s.packets();
  ASSERT_EQ(packets.size(), 1u);
  auto packet = mqtt::decode(mqtt::frame(packets[0], packets[0].size()), v5);
  ASSERT_TRUE(packet && std::holds_alternative<mqtt::Disconnect>(*packet));
  EXPECT_FALSE(std::get<mqtt::Disconnect>(*packet).properties.integer(PropertyId::session_expiry_interval));
  EXPECT_FALSE(s.is_open());
}

TEST_F(ConformanceTest, ASessionStaysWhileItsConnectionStands) {  // [MQTT-4.1.0-1]
  Client& s = subscriber("s", "t", 1, {.version = v5, .clean = false, .properties = session_expiry(1)});
  h.advance(Seconds{100});
  h.client("p").publish("t", "x", {.qos = 1});
  EXPECT_EQ(s.got(), "publish t=x q1 #1");
}

TEST_F(ConformanceTest, AWillIsPublishedAsItSaysAndOnlyIfThereIsOne) {  // [MQTT-3.1.2-14] [MQTT-3.1.2-12 of 3.1.1]
  Client& s = subscriber("s", "#", 1, {.version = v5});
  h.client("none").lose();
  EXPECT_EQ(s.got(), "");
  std::string properties;
  mqtt::PropertyWriter(properties).user("b", "1").user("a", "2").user("b", "3");  // in their order [MQTT-3.1.3-10]
  h.client("w", {.version = v5, .will = WillOptions{.topic = "w", .properties = properties}}).lose();
  EXPECT_EQ(s.got(), "publish w=gone b:1 a:2 b:3");
  EXPECT_EQ(h.broker().retained().count(), 0u);
}

TEST_F(ConformanceTest, WhatAMessageSaysOfItselfGoesOnAsItIs) {  // [MQTT-3.3.2-4, 3.3.2-15, 3.3.2-16, 3.3.2-20]
  Client& s = subscriber("s", "t", 1, {.version = v5});
  std::string properties = prop(PropertyId::payload_format_indicator, 1u) + prop(PropertyId::content_type, "text/x") +
                           prop(PropertyId::response_topic, "answers/here") +
                           prop(PropertyId::correlation_data, std::string_view("\x00\xff", 2));
  h.client("p", {.version = v5}).publish("t", "x", {.qos = 1, .properties = properties});
  std::vector<std::string> packets = s.packets();
  ASSERT_EQ(packets.size(), 1u);
  auto packet = mqtt::decode_publish(mqtt::frame(packets[0], packets[0].size()), v5);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->properties.wire(), properties);
}

// [MQTT-3.3.1-8] [MQTT-3.1.2.7, 3.3.1-7 of 3.1.1]
TEST_F(ConformanceTest, OnlyTheRetainFlagTouchesWhatIsRetained) {
  Client& p = h.client("p");
  p.publish("t", "kept", {.qos = 1, .retain = true});
  p.publish("t", "passing", {.qos = 1});
  p.publish("t", "", {.qos = 1});
  p.lose();
  EXPECT_EQ(h.broker().retained().find("t")->payload, "kept");
  h.client("p").publish("t", "of QoS 0", {.retain = true});
  EXPECT_EQ(h.broker().retained().find("t")->payload, "of QoS 0");
}

TEST_F(ConformanceTest, OnlyWhatMatchesIsSentAndNamesAreComparedAsTheyStand) {  // [MQTT-3.3.2-3, 4.7.3-4]
  Client& s = h.client("s");
  s.subscribe({"a/b", "\xc3\xa9", "+/c"});
  EXPECT_EQ(s.got(), "suback #1 00 00 00");
  Client& p = h.client("p");
  // Another case, another separator, the same letter in another composition.
  for (const char* topic : {"A/b", "a/b/", "/a/b", "a//b", "e\xcc\x81", "x/c/c", "a/b", "\xc3\xa9", "x/c"}) {
    p.publish(topic, "x");
  }
  EXPECT_EQ(s.got(), "publish a/b=x, publish \xc3\xa9=x, publish x/c=x");
}

TEST_F(ConformanceTest, UnsubscribeTakesEachOfItsFiltersAndAnswersOnce) {  // [MQTT-3.10.4-2, 3.10.4-6, 3.11.3-1]
  Client& s = h.client("s", {.version = v5});
  s.subscribe({"a", "b", "+"});
  (void)s.got();
  s.send(
      std::string("\xa2\x0f\x00\x09\x00\x00\x01x\x00\x01"
                  "a\x00\x02+/\x00\x00",
                  17));
  EXPECT_EQ(s.got(), "unsuback #9 11 00 11 8f");
  s.unsubscribe("+");
  Client& p = h.client("p");
  p.publish("a", "1");
  p.publish("b", "2");
  EXPECT_EQ(s.got(), "unsuback #1 00, publish b=2");
}

TEST_F(ConformanceTest, WhatIsSentForTheFirstTimeHasNoDup) {  // [MQTT-4.3.1-1, 4.3.2-2, 4.3.3-2]
  Client& s = subscriber("s", "t", 2);
  Client& p = h.client("p");
  p.publish("t", "0");
  p.publish("t", "1", {.qos = 1, .id = 1, .dup = true});
  p.publish("t", "2", {.qos = 2, .id = 2, .dup = true});
  EXPECT_EQ(s.got(), "publish t=0, publish t=1 q1 #1, publish t=2 q2 #2");
}

TEST_F(ConformanceTest, ADeliveryOnItsWayDoesNotExpire) {  // [MQTT-4.3.3-7, 4.3.3-13]
  ConnectOptions kept{.version = v5, .clean = false, .properties = session_expiry(forever)};
  Client& s = subscriber("s", "t", 2, kept);
  Client& p = h.client("p", {.version = v5});
  p.publish("t", "x", {.qos = 2, .id = 4, .properties = message_expiry(5)});
  EXPECT_EQ(s.got(), "publish t=x q2 #1 expiry=5");
  h.advance(Seconds{10});
  p.pubrel(4);
  EXPECT_EQ(p.got(), "pubrec #4, pubcomp #4");
  s.lose();
  s.connect(kept);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=x q2 #1 dup expiry=0");
}

TEST_F(ConformanceTest, OnlyPublishesWaitForTheReceiveMaximum) {  // [MQTT-3.3.4-10, 4.9.0-3]
  Client& s = subscriber("s", "t", 1, {.version = v5, .properties = receive_maximum(1)});
  Client& p = h.client("p");
  p.publish("t", "1", {.qos = 1});
  p.publish("t", "2", {.qos = 1});
  s.ping();
  s.subscribe("u", 0, {.id = 2});
  s.unsubscribe("u", 3);
  s.publish("v", "x", {.qos = 1, .id = 4});
  s.publish("v", "x", {.qos = 2, .id = 5});
  EXPECT_EQ(s.got(), "publish t=1 q1 #1, pingresp, suback #2 00, unsuback #3 00, puback #4 0x10, pubrec #5 0x10");
}

TEST_F(ConformanceTest, NoPropertiesAreALengthOfZero) {  // [MQTT-2.2.2-1]
  Client& s = h.client("s", {.version = v5});
  s.subscribe("t", 0);
  s.publish("t", "x");
  std::vector<std::string> packets = s.packets();
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_EQ(packets[0], std::string("\x90\x04\x00\x01\x00\x00", 6));
  EXPECT_EQ(packets[1], std::string("\x30\x05\x00\x01t\x00x", 7));
}

TEST_F(ConformanceTest, AClientsPublishHasNoSubscriptionIdentifier) {  // [MQTT-3.3.4-6]
  Client& s = subscriber("s", "t", 1);
  Client& p = h.client("p", {.version = v5});
  p.publish("t", "x", {.qos = 1, .properties = prop(PropertyId::subscription_identifier, 7u)});
  EXPECT_EQ(p.got(), "disconnect 0x82, closed");
  EXPECT_EQ(s.got(), "");
}

}  // namespace
}  // namespace tidegate::test
