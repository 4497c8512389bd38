// What a 5.0 client and the broker tell each other at CONNECT, and keep to: aliases, windows, sizes, reasons, Maximum
// QoS, Retain Available (MQTT 5.0, 3.1.2.11, 3.2.2.3, 4.9).
#include <gtest/gtest.h>

#include "gateway/mqtt/decode.h"
#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

using mqtt::PropertyId;
using mqtt::ReasonCode;

std::string alias_maximum(uint32_t aliases) {
  return prop(PropertyId::topic_alias_maximum, aliases);
}
std::string packet_size(uint32_t bytes) {
  return prop(PropertyId::maximum_packet_size, bytes);
}
std::string no_problem_information() {
  return prop(PropertyId::request_problem_information, 0u);
}

struct NegotiationTest : testing::Test {
  Client& subscriber(std::string id, const std::string& properties, std::string_view filter = "#", int qos = 1) {
    Client& client = h.client(std::move(id), {.version = v5, .properties = properties});
    client.subscribe(filter, qos);
    EXPECT_EQ(client.got(), "suback #1 0" + std::to_string(qos));
    return client;
  }
  std::string answer_to(const ConnectOptions& options) {
    Client& client = h.newcomer("c");
    client.connect(options);
    return client.got();
  }
  // The reason strings of what came, in order; "-" where there is none. No packet may bear a user property.
  std::string reasons(Client& client) {
    std::string all;
    for (const std::string& bytes : client.packets()) {
      auto packet = mqtt::decode(mqtt::frame(bytes, bytes.size()), v5);
      EXPECT_TRUE(packet);
      mqtt::Properties properties;
      std::visit(
          [&](const auto& p) {
            if constexpr (requires { p.properties; }) properties = p.properties;
          },
          *packet);
      EXPECT_FALSE(properties.text(PropertyId::user_property));
      auto reason = properties.text(PropertyId::reason_string);
      all.append(all.empty() ? "" : "|").append(reason ? *reason : "-");
    }
    return all;
  }
  BrokerHarness h;
};

TEST_F(NegotiationTest, ATopicThatComesAgainGetsAnAlias) {  // [MQTT-3.1.2-26, 3.3.2-11]
  Client& s = subscriber("s", alias_maximum(1));
  Client& p = h.client("p");
  for (const char* topic : {"long/topic", "long/topic", "other/topic", "long/topic", "other/topic", "other/topic"}) {
    p.publish(topic, "x");
  }
  EXPECT_EQ(s.got(),
            "publish long/topic=x, publish long/topic=x alias=1, publish other/topic=x, publish =x alias=1, "
            "publish other/topic=x, publish other/topic=x");  // the only one is given away
}

TEST_F(NegotiationTest, WhoAsksForNoAliasesGetsNone) {  // [MQTT-3.1.2-27]
  Client& none = subscriber("none", {});
  Client& zero = subscriber("zero", alias_maximum(0));
  h.limits.topic_aliases_out_max = 0;  // or whom the gateway sets none
  h.apply_limits();
  Client& off = subscriber("off", alias_maximum(10));
  for (int i = 0; i < 3; ++i) h.client("p").publish("long/topic", "x");
  for (Client* s : {&none, &zero, &off}) {
    EXPECT_EQ(s->got(), "publish long/topic=x, publish long/topic=x, publish long/topic=x");
  }
}

TEST_F(NegotiationTest, OurLimitOfAliasesHoldsToo) {
  h.limits.topic_aliases_out_max = 2;
  h.apply_limits();
  Client& s = subscriber("s", alias_maximum(100));
  Client& p = h.client("p");
  for (const char* topic : {"topic/1", "topic/2", "topic/3"}) p.publish(topic, "x"), p.publish(topic, "x");
  EXPECT_EQ(s.got(),
            "publish topic/1=x, publish topic/1=x alias=1, publish topic/2=x, publish topic/2=x alias=2, "
            "publish topic/3=x, publish topic/3=x");
}

// A packet held for the disk may be overtaken by one of QoS 0 with the alias that it tells.
TEST_F(NegotiationTest, WhatIsHeldForTheDiskTellsNoAlias) {
  Client& s = h.client("s", {.version = v5, .clean = false, .properties = session_expiry(60) + alias_maximum(5)});
  s.subscribe("#", 2);
  (void)s.got();
  Client& p = h.client("p");
  h.hold_disk();
  p.publish("long/topic", "1", {.qos = 2, .id = 1});
  p.publish("long/topic", "2", {.qos = 2, .id = 2});
  p.publish("long/topic", "3");
  p.publish("long/topic", "4");
  EXPECT_EQ(s.got(), "publish long/topic=3, publish long/topic=4 alias=1");
  h.free_disk();
  EXPECT_EQ(s.got(), "publish long/topic=1 q2 #1, publish long/topic=2 q2 #2");
  p.publish("long/topic", "5", {.qos = 2, .id = 3});
  EXPECT_EQ(s.got(), "publish =5 q2 #3 alias=1");
}

TEST_F(NegotiationTest, AliasesOfTheBrokerEndWithTheirConnection) {  // [MQTT-3.3.2-7]
  ConnectOptions kept{.version = v5, .clean = false, .properties = session_expiry(60) + alias_maximum(5)};
  Client& s = h.client("s", kept);
  s.subscribe("#", 1);
  Client& p = h.client("p");
  for (int i = 0; i < 3; ++i) p.publish("long/topic", "x");
  EXPECT_EQ(s.got(), "suback #1 01, publish long/topic=x, publish long/topic=x alias=1, publish =x alias=1");
  s.lose();
  s.connect(kept);
  p.publish("long/topic", "x");
  EXPECT_EQ(s.got(), "connack 0 present, publish long/topic=x");
}

TEST_F(NegotiationTest, AnAliasThatDoesNotFitIsLeftOut) {
  Client& s = subscriber("s", alias_maximum(5) + packet_size(32), "#", 0);
  Client& p = h.client("p");
  std::string payload(32 - 2 - 2 - 10 - 1, 'x');  // exactly
  p.publish("long/topic", payload);
  p.publish("long/topic", payload);
  p.publish("long/topic", "y");
  EXPECT_EQ(s.got(),
            "publish long/topic=" + payload + ", publish long/topic=" + payload + ", publish long/topic=y alias=1");
}

TEST_F(NegotiationTest, ManyReceiversEachHaveTheirOwnAliases) {
  Client& a = subscriber("a", alias_maximum(5));
  Client& b = subscriber("b", {});
  Client& p = h.client("p", {.version = v5});
  p.publish("first/topic", "x", {.properties = message_expiry(60)});
  Client& c = subscriber("c", alias_maximum(5));
  p.publish("first/topic", "y", {.properties = message_expiry(60)});
  EXPECT_EQ(a.got(), "publish first/topic=x expiry=60, publish first/topic=y expiry=60 alias=1");
  EXPECT_EQ(b.got(), "publish first/topic=x expiry=60, publish first/topic=y expiry=60");
  EXPECT_EQ(c.got(), "publish first/topic=y expiry=60");
}

TEST_F(NegotiationTest, ResponseInformationIsForWhoAsks) {  // [MQTT-3.1.2-28]
  std::string asks = prop(PropertyId::request_response_information, 1u);
  Client& nothing = h.client("a", {.version = v5, .properties = asks});  // none is configured
  EXPECT_FALSE(nothing.connack().text(PropertyId::response_information));
  h.listener.response_information = "answers/";
  Client& b = h.client("b", {.version = v5, .properties = asks});
  EXPECT_EQ(b.connack().text(PropertyId::response_information), "answers/");
  for (std::string properties : {std::string(), prop(PropertyId::request_response_information, 0u)}) {
    Client& c = h.client("c", {.version = v5, .properties = properties});
    EXPECT_FALSE(c.connack().text(PropertyId::response_information));
  }
}

// A reason string is all that is told: no packet but PUBLISH ever bears a user property, so none makes one too large.
// PUBREL, PUBCOMP and UNSUBACK bear neither.
// [MQTT-3.2.2-20, 3.4.2-3, 3.5.2-3, 3.6.2-2, 3.6.2-3, 3.7.2-2, 3.7.2-3, 3.9.2-2, 3.11.2-1, 3.11.2-2, 3.14.2-4]
TEST_F(NegotiationTest, TheReasonIsToldWhereItHelps) {
  h.limits.topic_levels_max = 2;
  h.apply_limits();
  Client& c = h.client("c", {.version = v5});
  c.subscribe({"a", "a/b/c"});
  c.publish("$SYS/broker/x", "x", {.qos = 1});
  c.publish("$SYS/broker/x", "x", {.qos = 2});
  c.publish("t", "x", {.qos = 1, .retain = true});
  c.pubrel(7);
  c.pubrec(7);
  c.unsubscribe("nothing");
  c.publish("", "no alias");
  EXPECT_EQ(
      reasons(c),
      "more levels than are allowed|not a topic that clients publish to|not a topic that clients publish to|-|-|-|-|"
      "topic name is empty [MQTT-4.7.3-1]");
  h.listener.allow_anonymous = false;
  Client& refused = h.newcomer("r");
  refused.connect({.version = v5});
  EXPECT_EQ(reasons(refused), "not authorized");
}

TEST_F(NegotiationTest, WithoutProblemInformationOnlyDisconnectAndConnackGiveReasons) {  // [MQTT-3.1.2-29]
  Client& c = h.client("c", {.version = v5, .properties = no_problem_information()});
  c.subscribe("#/x", 1);
  c.publish("$SYS/broker/x", "x", {.qos = 1});
  c.publish("$SYS/broker/x", "x", {.qos = 2});
  c.pubrel(7);
  c.pubrec(7);
  c.unsubscribe("nothing");
  EXPECT_EQ(reasons(c), "-|-|-|-|-|-");
  c.publish("", "no alias");
  EXPECT_EQ(reasons(c), "topic name is empty [MQTT-4.7.3-1]");
}

// [MQTT-3.2.2-19, 3.4.2-2, 3.5.2-2, 3.9.2-1, 3.14.2-3]
TEST_F(NegotiationTest, AReasonThatDoesNotFitIsLeftOut) {
  Client& c = h.client("c", {.version = v5, .properties = packet_size(24)});
  c.subscribe("#/x", 1);
  c.publish("$SYS/broker/x", "x", {.qos = 1});
  c.publish("$SYS/broker/x", "x", {.qos = 2});
  c.publish("", "no alias");
  EXPECT_EQ(c.got(), "suback #1 8f, puback #1 0x87, pubrec #1 0x87, disconnect 0x82, closed");
  h.listener.allow_anonymous = false;
  Client& refused = h.newcomer("r");
  refused.connect({.version = v5, .properties = packet_size(10)});
  EXPECT_EQ(reasons(refused), "-");
}

TEST_F(NegotiationTest, NothingIsSentAboveTheMaximumPacketSize) {  // [MQTT-3.1.2-24]
  Client& c = h.client("c", {.version = v5, .properties = packet_size(24)});
  c.subscribe({"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j"});
  c.ping();
  EXPECT_EQ(c.got(), "pingresp");
  EXPECT_EQ(answer_to({.version = v5, .properties = packet_size(8)}), "closed");  // no room for CONNACK
  EXPECT_EQ(h.broker().sessions(), 0u);
}

TEST_F(NegotiationTest, TheReceiveMaximumIsToldAndEnforced) {
  h.limits.receive_max = 2;
  h.apply_limits();
  h.client("s", {.clean = false}).subscribe("kept", 2);
  Client& c = h.client("c", {.version = v5});
  EXPECT_EQ(c.connack().integer(PropertyId::receive_maximum), 2u);
  for (uint16_t id = 1; id <= 10; ++id) {  // answered at once: no limit
    c.publish("kept", "x", {.qos = 1, .id = id});
    c.publish("kept", "x", {.qos = 2, .id = id});
    c.pubrel(id);
  }
  (void)c.got();
  h.hold_disk();
  c.publish("kept", "x", {.qos = 1, .id = 1});
  c.publish("kept", "x", {.qos = 2, .id = 2});
  c.publish("kept", "x");  // counts for nothing
  EXPECT_TRUE(c.is_open());
  h.commit_all();
  EXPECT_EQ(c.got(), "puback #1, pubrec #2");
  c.publish("kept", "x", {.qos = 2, .id = 3});  // beside #2, which is not done
  h.commit_all();
  EXPECT_EQ(c.got(), "pubrec #3");
  c.publish("kept", "x", {.qos = 1, .id = 4});  // no PUBREL can come from behind it
  EXPECT_EQ(c.got(), "disconnect 0x93, closed");
}

// A client that sends 5,000 at once, whatever it was told, was closed, came back and sent them again, out of order.
TEST_F(NegotiationTest, WhoIsBeyondTheReceiveMaximumWaitsWhileAnAnswerWaitsForTheDisk) {
  h.limits.receive_max = 2;
  h.apply_limits();
  Client& s = h.client("s", {.clean = false});
  s.subscribe("kept", 1);
  EXPECT_EQ(s.got(), "suback #1 01");
  Client& c = h.client("c", {.version = v5, .keep_alive = 10});
  size_t deadlines = h.broker().deadlines();
  h.hold_disk();
  for (uint16_t id = 1; id <= 7; ++id) c.publish("kept", std::to_string(id), {.qos = 1, .id = id});
  c.ping();
  EXPECT_EQ(c.got(), "");
  EXPECT_EQ(h.broker().deadlines(), deadlines);
  h.advance(Seconds{100});  // who is not read is not blamed
  h.commit();
  EXPECT_EQ(c.got(), "puback #1");
  h.commit_all();
  EXPECT_EQ(c.got(), "puback #2, puback #3");
  h.commit_all();
  EXPECT_EQ(c.got(), "puback #4, puback #5");
  h.free_disk();
  EXPECT_EQ(c.got(), "pingresp, puback #6, puback #7");
  std::string in_order;
  for (const std::string& packet : s.packets()) in_order += packet.back();
  EXPECT_EQ(in_order, "1234567");
}

TEST_F(NegotiationTest, ARefusedQos2MessageGivesItsPlaceBack) {
  h.limits.receive_max = 1;
  h.apply_limits();
  Client& c = h.client("c", {.version = v5});
  for (uint16_t id = 1; id <= 3; ++id) c.publish("$SYS/broker/x", "x", {.qos = 2, .id = id});
  EXPECT_EQ(c.got(), "pubrec #1 0x87, pubrec #2 0x87, pubrec #3 0x87");
  c.publish("t", "x", {.qos = 2, .id = 4});
  c.pubrel(4);
  c.publish("t", "x", {.qos = 2, .id = 5});
  EXPECT_EQ(c.got(), "pubrec #4 0x10, pubcomp #4, pubrec #5 0x10");
  Client& old = h.client("old");  // before 5.0 nobody could know
  old.publish("t", "x", {.qos = 2, .id = 1});
  old.publish("t", "x", {.qos = 2, .id = 2});
  EXPECT_TRUE(old.is_open());
}

TEST_F(NegotiationTest, MaximumQosIsToldAndEnforced) {  // [MQTT-3.2.2-9, 3.2.2-10, 3.2.2-12]
  h.listener.max_qos = Qos::at_least_once;
  Client& c = h.client("c", {.version = v5});
  EXPECT_EQ(c.connack().integer(PropertyId::maximum_qos), 1u);
  c.subscribe("t", 2);  // granted as far as it goes
  c.publish("t", "x", {.qos = 1});
  EXPECT_EQ(c.got(), "suback #1 01, publish t=x q1 #1, puback #1");
  c.publish("t", "x", {.qos = 2});
  EXPECT_EQ(c.got(), "disconnect 0x9b, closed");
  Client& old = h.client("old");
  old.subscribe("t", 2);
  old.publish("t", "x", {.qos = 2});
  EXPECT_EQ(old.got(), "suback #1 01, closed");
  EXPECT_EQ(answer_to({.version = v5, .will = WillOptions{.qos = 2}}), "connack 0x9b, closed");
  EXPECT_EQ(answer_to({.version = v4, .will = WillOptions{.qos = 2}}), "connack 5, closed");
  EXPECT_EQ(answer_to({.version = v5, .will = WillOptions{.qos = 1}}), "connack 0");
  h.listener.max_qos = Qos::exactly_once;
  EXPECT_FALSE(h.client("d", {.version = v5}).connack().integer(PropertyId::maximum_qos));
}

TEST_F(NegotiationTest, RetainAvailableIsToldAndEnforced) {  // [MQTT-3.2.2-13]
  h.listener.retain_available = false;
  Client& c = h.client("c", {.version = v5});
  EXPECT_EQ(c.connack().integer(PropertyId::retain_available), 0u);
  c.publish("t", "x", {.retain = true});
  EXPECT_EQ(c.got(), "disconnect 0x9a, closed");
  Client& old = h.client("old");
  old.publish("t", "x", {.retain = true});
  EXPECT_EQ(old.got(), "closed");
  EXPECT_EQ(answer_to({.version = v5, .will = WillOptions{.retain = true}}), "connack 0x9a, closed");
  EXPECT_EQ(answer_to({.version = v4, .will = WillOptions{.retain = true}}), "connack 5, closed");
  EXPECT_EQ(h.broker().retained().count(), 0u);
}

// [MQTT-3.1.3-8]: an identifier that is new where there is no room.
TEST_F(NegotiationTest, ARefusedIdentifierClosesTheConnection) {
  h.limits.sessions_max = 0;
  h.apply_limits();
  EXPECT_EQ(answer_to({.version = v5}), "connack 0x97, closed");
}

}  // namespace
}  // namespace tidegate::test
