// Shared subscriptions: whose turn it is, what becomes of a member's messages (MQTT 5.0, 4.8.2).
#include <gtest/gtest.h>

#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

using mqtt::PropertyId;
using mqtt::ReasonCode;

const ConnectOptions kept4{.clean = false};
const ConnectOptions kept5{.version = v5, .clean = false, .properties = session_expiry(60)};

struct SharedTest : testing::Test {
  SharedTest() : p(h.client("p", {.version = v5})) {}
  Client& member(std::string id, const ConnectOptions& options = {}, int qos = 1,
                 std::string_view filter = "$share/g/t") {
    Client& client = h.client(std::move(id), options);
    client.subscribe(filter, qos);
    EXPECT_EQ(client.got(), "suback #1 0" + std::to_string(qos));
    return client;
  }
  // What the publisher is told.
  std::string publish(std::string_view payload, int qos, std::string_view topic = "t") {
    p.publish(topic, payload, {.qos = qos, .id = ++next_id});
    if (qos == 2) p.pubrel(next_id);
    return p.got();
  }
  void window(uint32_t messages) {
    h.limits.inflight_messages_max = messages;
    h.apply_limits();
  }
  BrokerHarness h;
  Client& p;
  uint16_t next_id = 0;
};

TEST_F(SharedTest, MembersTakeTurns) {
  Client& a = member("a");
  Client& b = member("b", {.version = v5});  // of any version
  Client& c = member("c", {.version = v3});
  for (const char* payload : {"1", "2", "3", "4", "5", "6"}) publish(payload, 1);
  EXPECT_EQ(a.got(), "publish t=1 q1 #1, publish t=4 q1 #2");
  EXPECT_EQ(b.got(), "publish t=2 q1 #1, publish t=5 q1 #2");
  EXPECT_EQ(c.got(), "publish t=3 q1 #1, publish t=6 q1 #2");
}

TEST_F(SharedTest, EachGroupAndEachFilterHasItsOwnTurn) {
  Client& a = member("a");
  Client& other_group = member("b", {}, 1, "$share/h/t");
  Client& other_filter = member("c", {}, 1, "$share/g/+");
  Client& plain = member("d", {}, 1, "t");
  publish("x", 1);
  for (Client* client : {&a, &other_group, &other_filter, &plain}) EXPECT_EQ(client->got(), "publish t=x q1 #1");
}

TEST_F(SharedTest, TheFilterIsWhatFollowsTheGroup) {
  Client& a = member("a", {}, 1, "$share/g/a/+/#");
  publish("1", 1, "a/b");
  publish("2", 1, "a");
  publish("3", 1, "$share/g/a/b");
  EXPECT_EQ(a.got(), "publish a/b=1 q1 #1");
  Client& reserved = member("b", {}, 1, "$share/g/#");
  publish("4", 1, "$own/x");  // [MQTT-4.7.2-1]
  EXPECT_EQ(reserved.got(), "");
}

TEST_F(SharedTest, AGroupNeedsANameAndAFilter) {  // [MQTT-4.8.2-1, 4.8.2-2]
  Client& c = h.client("c", {.version = v5});
  for (const char* filter : {"$share/g", "$share/g/", "$share//t", "$share/+/t", "$share/g#/t", "$share/g/a#"}) {
    c.subscribe(filter, 1);
    EXPECT_EQ(c.got(), "suback #1 8f") << filter;
  }
  Client& old = h.client("old");
  old.subscribe("$share/g", 1);
  EXPECT_EQ(old.got(), "suback #1 80");
  c.subscribe("$shared/t", 1);  // a filter like another
  EXPECT_EQ(c.got(), "suback #1 01");
  EXPECT_EQ(h.broker().subscriptions(), 1u);
}

TEST_F(SharedTest, NoLocalIsAProtocolError) {  // [MQTT-3.8.3-4]
  Client& c = h.client("c", {.version = v5});
  c.subscribe("$share/g/t", 1, {.no_local = true});
  EXPECT_EQ(c.got(), "disconnect 0x82, closed");
}

TEST_F(SharedTest, NothingRetainedIsSent) {
  p.publish("t", "kept", {.qos = 1, .id = 1, .retain = true});
  Client& c = h.client("c", {.version = v5});
  c.subscribe("$share/g/t", 1);
  c.subscribe("$share/g/#", 1, {.retain_handling = mqtt::RetainHandling::send_if_new});
  EXPECT_EQ(c.got(), "suback #1 01, suback #1 01");
}

TEST_F(SharedTest, EachMemberIsSentItsOwnQosFlagsAndIdentifier) {  // [MQTT-4.8.2-3]
  Client& a = member("a", {}, 0);
  Client& b = h.client("b", {.version = v5});
  b.subscribe("$share/g/t", 2, {.retain_as_published = true, .subscription_id = 9});
  (void)b.got();
  for (const char* payload : {"1", "2"}) p.publish("t", payload, {.qos = 2, .id = ++next_id, .retain = true});
  EXPECT_EQ(a.got(), "publish t=1");
  EXPECT_EQ(b.got(), "publish t=2 q2 #1 retain ids=9");
}

TEST_F(SharedTest, AMemberThatSubscribesPlainlyAsWellGetsBoth) {
  Client& a = member("a");
  a.subscribe("t", 0);
  publish("x", 1);
  EXPECT_EQ(a.got(), "suback #1 00, publish t=x, publish t=x q1 #1");
}

TEST_F(SharedTest, WhoHasRoomComesBeforeWhoHasNone) {
  window(1);
  Client& a = member("a");
  Client& b = member("b");
  publish("1", 1);
  publish("2", 1);
  b.puback(1);
  publish("3", 1);  // a's turn, and a has no room
  EXPECT_EQ(a.got(), "publish t=1 q1 #1");
  EXPECT_EQ(b.got(), "publish t=2 q1 #1, publish t=3 q1 #2");
  publish("4", 1);  // nobody has: it waits for one of them
  b.puback(2);
  EXPECT_EQ(a.got() + b.got(), "");
  a.puback(1);
  EXPECT_EQ(a.got(), "publish t=4 q1 #2");
}

TEST_F(SharedTest, ASlowConnectionIsPassedOverForQos0) {
  Client& a = member("a", {}, 0);
  Client& b = member("b", {}, 0);
  h.out().unsent[a.conn()] = h.limits.output_bytes_max + 1;
  publish("1", 0);
  publish("2", 0);
  EXPECT_EQ(a.got(), "");
  EXPECT_EQ(b.got(), "publish t=1, publish t=2");
  EXPECT_EQ(h.counters().dropped_slow_connection, 0u);
}

TEST_F(SharedTest, WhoIsAwayGetsOnlyWhatNobodyElseCanHave) {
  Client& away = member("away", kept4);
  Client& here = member("here");
  away.lose();
  for (const char* payload : {"1", "2"}) publish(payload, 1);
  EXPECT_EQ(here.got(), "publish t=1 q1 #1, publish t=2 q1 #2");
  EXPECT_EQ(h.records_on_disk(), 0u);
  here.disconnect();  // and 1 and 2, which it has not acknowledged, are handed over
  publish("3", 1);
  EXPECT_EQ(h.records_on_disk(), 3u);
  away.connect(kept4);
  EXPECT_EQ(away.got(), "connack 0 present, publish t=1 q1 #1, publish t=2 q1 #2, publish t=3 q1 #3");
}

TEST_F(SharedTest, WithoutMembersNothingIsKept) {
  member("a").lose();
  EXPECT_EQ(publish("1", 1), "puback #1 0x10");
  Client& b = member("b", kept4);
  b.lose();
  EXPECT_EQ(publish("zero", 0), "");
  b.connect(kept4);
  EXPECT_EQ(b.got(), "connack 0 present");
  EXPECT_EQ(h.records_on_disk(), 0u);
}

TEST_F(SharedTest, AnObligationStandsInOneQueueAndWaitsForTheDisk) {
  member("a", kept4).lose();
  member("b", kept4).lose();
  h.hold_disk();
  EXPECT_EQ(publish("1", 1), "");
  h.commit_all();
  EXPECT_EQ(p.got(), "puback #1");
  EXPECT_EQ(h.records_on_disk(), 1u);
}

TEST_F(SharedTest, MembershipSurvivesACrash) {
  Client& a = member("a", kept5);
  member("b", kept5);
  h.crash();
  EXPECT_EQ(h.broker().subscriptions(), 2u);
  p.connect({.version = v5});
  publish("1", 1);
  publish("2", 1);
  EXPECT_EQ(h.records_on_disk(), 2u);
  a.connect(kept5);
  EXPECT_EQ(a.got(), "connack 0 present, publish t=1 q1 #1");
}

TEST_F(SharedTest, UnsubscribeLeavesTheGroup) {
  Client& a = member("a", {.version = v5});
  Client& b = member("b");
  a.unsubscribe("$share/h/t");
  a.unsubscribe("$share/g/t", 2);
  EXPECT_EQ(a.got(), "unsuback #1 11, unsuback #2 00");
  publish("1", 1);
  publish("2", 1);
  EXPECT_EQ(a.got(), "");
  EXPECT_EQ(b.got(), "publish t=1 q1 #1, publish t=2 q1 #2");
  b.lose();
  EXPECT_EQ(h.broker().subscriptions(), 0u);
}

TEST_F(SharedTest, CountsAmongTheSubscriptionsOfItsSession) {
  h.limits.subscriptions_max = 1;
  h.limits.topic_levels_max = 2;
  h.apply_limits();
  Client& a = member("a", {.version = v5}, 1, "$share/g/a/b");
  for (const char* filter : {"$share/h/a", "$share/g/a/b", "$share/g/a/b/c"}) a.subscribe(filter, 0);
  EXPECT_EQ(a.got(), "suback #1 97, suback #1 00, suback #1 8f");
}

TEST_F(SharedTest, AnAnswerWithAnErrorEndsTheMessage) {  // [MQTT-4.8.2-6]
  Client& a = member("a", {.version = v5}, 2);
  Client& b = member("b", {}, 2);
  publish("1", 1);
  publish("2", 2);
  publish("3", 2);
  EXPECT_EQ(a.got(), "publish t=1 q1 #1, publish t=3 q2 #2");
  a.ack(mqtt::PacketType::puback, 1, ReasonCode::not_authorized);
  a.ack(mqtt::PacketType::pubrec, 2, ReasonCode::quota_exceeded);
  a.lose();
  EXPECT_EQ(b.got(), "publish t=2 q2 #1");
}

TEST_F(SharedTest, WhatALeavingMemberHasNotAcknowledgedGoesToTheOthers) {
  window(2);
  Client& a = member("a", {}, 2);
  publish("1", 1);
  publish("2", 2);
  publish("3", 1);  // waits
  publish("4", 2);
  EXPECT_EQ(a.got(), "publish t=1 q1 #1, publish t=2 q2 #2");
  window(10);
  Client& b = h.client("b", {.version = v5});
  b.subscribe("$share/g/t", 1, {.subscription_id = 5});
  (void)b.got();
  a.lose();  // of 2 only a may ever hear again [MQTT-4.8.2-5]
  EXPECT_EQ(b.got(), "publish t=1 q1 #1 ids=5, publish t=3 q1 #2 ids=5, publish t=4 q1 #3 ids=5");
}

TEST_F(SharedTest, ABegunQos2MessageIsCompletedWithTheSameMember) {  // [MQTT-4.8.2-4]
  Client& a = member("a", kept5, 2);
  publish("1", 2);
  EXPECT_EQ(a.got(), "publish t=1 q2 #1");
  Client& b = member("b", {}, 2);
  a.lose();
  EXPECT_EQ(b.got(), "");
  a.connect(kept5);
  EXPECT_EQ(a.got(), "connack 0 present, publish t=1 q2 #1 dup");
}

// The session expires: its queue is read, and each record moves in one batch. Its other messages end with it.
TEST_F(SharedTest, WhatAKeptSessionLeavesGoesToTheOthers) {
  Client& a = h.client("a", kept5);
  a.subscribe("$share/g/t", 2, {.subscription_id = 3});
  a.subscribe("own", 1, {.id = 2});
  publish("0", 2);
  EXPECT_EQ(a.got(), "suback #1 02, suback #2 01, publish t=0 q2 #1 ids=3");
  a.lose();
  for (int i = 1; i <= 250; ++i) {
    publish(std::to_string(i), 1);
    publish("of its own", 1, "own");
  }
  Client& b = member("b", kept4, 1);
  b.lose();
  h.advance(Seconds{60});
  EXPECT_EQ(h.broker().sessions(), 2u);
  EXPECT_EQ(h.records_on_disk(), 250u);
  h.limits.inflight_messages_max = 300;
  h.apply_limits();
  b.connect(kept4);
  EXPECT_TRUE(b.got().starts_with("connack 0 present, publish t=1 q1 #1, publish t=2 q1 #2, publish t=3 q1 #3, "));
  for (uint16_t id = 1; id <= 250; ++id) b.puback(id);
  EXPECT_EQ(h.records_on_disk(), 0u);
  for (const auto& [key, value] : h.store().table(store::Table::state)) EXPECT_NE(key[0], 'E');
}

TEST_F(SharedTest, WhatAKeptSessionLeavesIsHandedOverAfterACrashAsWell) {
  member("a", kept5).lose();
  for (const char* payload : {"1", "2", "3"}) publish(payload, 1);
  Client& b = member("b", kept4);
  h.hold_reads();
  h.advance(Seconds{60});
  h.crash();  // a has ended, its queue has not been read
  h.free_reads();
  EXPECT_EQ(h.restored().sessions, 1u);
  EXPECT_EQ(h.restored().unreadable, 0u);
  b.connect(kept4);
  EXPECT_EQ(b.got(), "connack 0 present, publish t=1 q1 #1, publish t=2 q1 #2, publish t=3 q1 #3");
  for (uint16_t id : {1, 2, 3}) b.puback(id);
  h.crash();
  EXPECT_EQ(h.records_on_disk(), 0u);
  for (const auto& [key, value] : h.store().table(store::Table::state)) EXPECT_NE(key[0], 'E');
}

TEST_F(SharedTest, AReadThatFailedIsDoneAgain) {
  member("a", kept5).lose();
  publish("1", 1);
  Client& b = member("b");
  h.hold_reads();
  h.advance(Seconds{60});
  ASSERT_EQ(h.out().reads.size(), 1u);
  QueueId queue = h.out().reads.front().queue;
  h.out().reads.clear();
  h.turn([&] { h.broker().read_failed(queue); });
  h.free_reads();
  EXPECT_EQ(b.got(), "");
  h.advance(Seconds{1});
  EXPECT_EQ(b.got(), "publish t=1 q1 #1");
}

// The session's own read was under way when it ended: its answer is not that of the estate's.
TEST_F(SharedTest, AReadOfTheSessionItselfIsNotTakenForTheEstates) {
  window(1);
  Client& a = member("a", kept4);
  a.lose();
  for (const char* payload : {"1", "2", "3"}) publish(payload, 1);
  h.hold_reads();
  a.connect(kept4);
  ASSERT_EQ(h.out().reads.size(), 1u);
  window(10);
  Client& b = member("b");
  a.connect({});  // clean: the kept session ends
  h.free_reads();
  EXPECT_EQ(b.got(), "publish t=1 q1 #1, publish t=2 q1 #2, publish t=3 q1 #3");
  EXPECT_EQ(h.records_on_disk(), 0u);
}

TEST_F(SharedTest, WithoutAnotherMemberItEndsWithTheSession) {
  member("a", kept5).lose();
  publish("1", 1);
  member("b", {}, 1, "$share/h/t");  // another group
  h.advance(Seconds{60});
  EXPECT_EQ(h.records_on_disk(), 0u);
  for (const auto& [key, value] : h.store().table(store::Table::state)) EXPECT_EQ(key, "Q");
}

}  // namespace
}  // namespace tidegate::test
