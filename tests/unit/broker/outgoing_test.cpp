// Messages to clients: QoS, packet ids, the window (MQTT 4.3, 4.6, 4.9).
#include <gtest/gtest.h>

#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

using mqtt::PropertyId;
using mqtt::ReasonCode;

struct OutgoingTest : testing::Test {
  // A client that has subscribed to "t" and read its SUBACK.
  Client& subscriber(const ConnectOptions& options = {}, int qos = 2) {
    Client& client = h.client("s", options);
    client.subscribe("t", qos);
    EXPECT_EQ(client.got(), "suback #1 0" + std::to_string(qos));
    return client;
  }
  void publish(std::string_view payload, int qos) {
    if (!publisher) publisher = &h.client("p");
    if (++next_id == 0) ++next_id;
    publisher->publish("t", payload, {.qos = qos, .id = next_id});
    if (qos == 2) publisher->pubrel(next_id);
    (void)publisher->got();
  }

  BrokerHarness h;
  Client* publisher = nullptr;
  uint16_t next_id = 0;
};

TEST_F(OutgoingTest, DeliversAtTheLowerOfBothQos) {  // [MQTT-3.8.4-8]
  Client& s = subscriber({}, 1);
  publish("0", 0);
  publish("1", 1);
  publish("2", 2);
  EXPECT_EQ(s.got(), "publish t=0, publish t=1 q1 #1, publish t=2 q1 #2");
}

TEST_F(OutgoingTest, Qos2GoesThroughItsFourPackets) {  // [MQTT-4.3.3-2, 4.3.3-4]
  Client& s = subscriber();
  publish("x", 2);
  EXPECT_EQ(s.got(), "publish t=x q2 #1");
  s.pubrec(1);
  EXPECT_EQ(s.got(), "pubrel #1");
  s.pubrec(1);
  EXPECT_EQ(s.got(), "pubrel #1");
  s.pubcomp(1);
  EXPECT_EQ(s.got(), "");
}

TEST_F(OutgoingTest, UnknownPacketIdsAreAnsweredAsTheStandardSays) {
  Client& s = subscriber({.version = v5});
  s.puback(9);
  s.pubcomp(9);
  EXPECT_EQ(s.got(), "");
  s.pubrec(9);
  EXPECT_EQ(s.got(), "pubrel #9 0x92");
}

TEST_F(OutgoingTest, AnAnswerOfTheOtherQosIsOfNoEffect) {
  Client& s = subscriber();
  publish("x", 1);
  publish("y", 2);
  s.pubcomp(2);
  s.puback(2);
  EXPECT_EQ(s.got(), "publish t=x q1 #1, publish t=y q2 #2");
  s.pubrec(2);
  EXPECT_EQ(s.got(), "pubrel #2");
}

TEST_F(OutgoingTest, APubrecWithAnErrorEndsTheDelivery) {  // [MQTT-4.4.0-2]
  Client& s = subscriber({.version = v5, .properties = receive_maximum(1)});
  publish("x", 2);
  publish("y", 2);
  EXPECT_EQ(s.got(), "publish t=x q2 #1");
  s.ack(mqtt::PacketType::pubrec, 1, ReasonCode::quota_exceeded);
  EXPECT_EQ(s.got(), "publish t=y q2 #2");
}

TEST_F(OutgoingTest, ThePubackMayCarryAnError) {  // [MQTT-4.4.0-2]
  Client& s = subscriber({.version = v5, .properties = receive_maximum(1)});
  publish("x", 1);
  publish("y", 1);
  EXPECT_EQ(s.got(), "publish t=x q1 #1");
  s.ack(mqtt::PacketType::puback, 1, ReasonCode::not_authorized);
  EXPECT_EQ(s.got(), "publish t=y q1 #2");
}

TEST_F(OutgoingTest, TheReceiveMaximumHoldsBackWhatIsNotAcknowledged) {  // [MQTT-3.3.4-9, 4.9.0-1, 4.9.0-2]
  Client& s = subscriber({.version = v5, .properties = receive_maximum(2)});
  for (const char* payload : {"1", "2", "3", "4"}) publish(payload, 2);
  EXPECT_EQ(s.got(), "publish t=1 q2 #1, publish t=2 q2 #2");
  s.pubrec(1);
  EXPECT_EQ(s.got(), "pubrel #1");  // not before PUBCOMP (4.9)
  s.pubcomp(1);
  EXPECT_EQ(s.got(), "publish t=3 q2 #3");
  publish("zero", 0);
  EXPECT_EQ(s.got(), "publish t=zero");
}

TEST_F(OutgoingTest, OurWindowHoldsForClientsThatNameNone) {
  h.limits.inflight_messages_max = 1;
  h.apply_limits();
  Client& s = subscriber();
  publish("1", 1);
  publish("2", 1);
  EXPECT_EQ(s.got(), "publish t=1 q1 #1");
  s.puback(1);
  EXPECT_EQ(s.got(), "publish t=2 q1 #2");
}

TEST_F(OutgoingTest, PacketIdsWrapAroundAndSpareTheOccupied) {  // [MQTT-2.2.1-4, 4.3.2-1, 4.3.3-1]
  Client& s = subscriber();
  publish("slow", 1);
  publish("slow", 2);
  EXPECT_EQ(s.got(), "publish t=slow q1 #1, publish t=slow q2 #2");
  for (int i = 3; i <= 65535; ++i) {
    publish("", 1);
    s.puback(static_cast<uint16_t>(i));
  }
  (void)s.got();
  publish("around", 1);
  EXPECT_EQ(s.got(), "publish t=around q1 #3");
  s.puback(1);
  publish("on", 1);
  EXPECT_EQ(s.got(), "publish t=on q1 #4");
}

TEST_F(OutgoingTest, ASlowConnectionLosesQos0AloneAndItIsCounted) {
  Client& s = subscriber();
  h.out().unsent[s.conn()] = h.limits.output_bytes_max + 1;
  publish("lost", 0);
  publish("kept", 1);
  EXPECT_EQ(s.got(), "publish t=kept q1 #1");
  EXPECT_EQ(h.counters().dropped_slow_connection, 1u);
}

TEST_F(OutgoingTest, AFullQueueOfACleanSessionDropsTheNewestCounted) {
  h.limits.inflight_messages_max = 1;
  h.limits.queued_messages_max = 2;
  h.apply_limits();
  Client& s = subscriber();
  for (const char* payload : {"1", "2", "3", "4", "5"}) publish(payload, 1);
  EXPECT_EQ(h.counters().dropped_queue_full, 2u);
  EXPECT_EQ(s.got(), "publish t=1 q1 #1");
  s.puback(1);
  s.puback(2);
  EXPECT_EQ(s.got(), "publish t=2 q1 #2, publish t=3 q1 #3");
}

TEST_F(OutgoingTest, AFullQueueByBytesDropsToo) {
  h.limits.inflight_messages_max = 1;
  h.limits.queued_bytes_max = 1000;
  h.apply_limits();
  subscriber();
  for (int i = 0; i < 5; ++i) publish(std::string(800, 'x'), 1);
  EXPECT_EQ(h.counters().dropped_queue_full, 2u);  // one in flight, two wait
}

// [MQTT-3.1.2-24, 3.1.2-25]: exactly what fits is sent, what does not is dropped as if it had been acknowledged.
TEST_F(OutgoingTest, TheClientsMaximumPacketSizeIsKeptToTheByte) {
  for (bool clean : {true, false}) {
    for (int qos = 0; qos <= 2; ++qos) {
      SCOPED_TRACE(testing::Message() << "clean " << clean << ", QoS " << qos);
      Client& s = h.newcomer("size-" + std::to_string(clean) + std::to_string(qos));
      s.connect({.version = v5,
                 .clean = clean,
                 .properties = prop(PropertyId::maximum_packet_size, 20u) + session_expiry(clean ? 0 : forever)});
      s.subscribe("t", qos);
      EXPECT_EQ(s.got(), "connack 0, suback #1 0" + std::to_string(qos));
      // Header 2, topic 3, packet id 0 or 2, property length 1.
      std::string fits(qos == 0 ? 14 : 12, 'x');
      uint64_t dropped = h.counters().dropped_too_large;
      publish(fits + "x", qos);
      publish(fits, qos);
      EXPECT_EQ(s.got(), "publish t=" + fits + (qos == 0 ? "" : " q" + std::to_string(qos) + " #1"));
      EXPECT_EQ(h.counters().dropped_too_large, dropped + 1);
      s.lose();
    }
  }
}

TEST_F(OutgoingTest, LargePayloadsAreSharedWithWhatStandsAroundThem) {
  Client& s = subscriber();
  Client& t = h.client("s2");
  t.subscribe("t", 1);
  (void)t.got();
  publish("before", 1);
  publish(std::string(10'000, 'x'), 1);
  publish("behind", 1);
  const char* expected = "publish t=before q1 #1, publish t=<10000 bytes> q1 #2, publish t=behind q1 #3";
  EXPECT_EQ(s.got(), expected);
  EXPECT_EQ(t.got(), expected);
}

TEST_F(OutgoingTest, OneMessageReachesEachVersionInItsOwnForm) {
  std::vector<Client*> all;
  for (auto version : {v3, v4, v5}) {
    for (int qos : {0, 1, 2}) {
      Client& c = h.client("v" + std::to_string(static_cast<int>(version)) + std::to_string(qos), {.version = version});
      c.subscribe("t", qos, {.subscription_id = version == v5 && qos == 1 ? 7u : 0u});
      (void)c.got();
      all.push_back(&c);
    }
  }
  Client& p = h.client("p5", {.version = v5});
  p.publish("t", "x", {.qos = 2, .id = 1, .properties = prop(PropertyId::content_type, "text") + message_expiry(60)});
  for (Client* c : all) {
    std::string text = c->got();
    bool is_v5 = c->version() == v5;
    EXPECT_EQ(text.find("type=text") != text.npos, is_v5) << text;
    EXPECT_EQ(text.find("expiry=60") != text.npos, is_v5) << text;
    EXPECT_EQ(text.find("ids=7") != text.npos, c->id() == "v51") << text;
  }
}

TEST_F(OutgoingTest, MessagesOfACleanSessionGoWithItsConnection) {
  Client& s = subscriber();
  publish("1", 1);
  s.lose();
  publish("2", 1);
  s.connect({});
  EXPECT_EQ(s.got(), "connack 0");
  EXPECT_EQ(h.records_on_disk(), 0u);
}

}  // namespace
}  // namespace tidegate::test
