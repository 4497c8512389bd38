// What waits for the disk, and in which order it goes then (rules of the road 3, invariant 1).
#include <gtest/gtest.h>

#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

struct CommitGateTest : testing::Test {
  BrokerHarness h;
};

TEST_F(CommitGateTest, PubackOfAnObligationWaitsForItsBatch) {
  h.client("s", {.clean = false}).subscribe("t", 1);
  Client& p = h.client("p");
  h.hold_disk();
  p.publish("t", "x", {.qos = 1, .id = 7});
  EXPECT_EQ(p.got(), "");
  h.commit();
  EXPECT_EQ(p.got(), "puback #7");
}

// [MQTT-4.3.2-4, 4.3.3-8]: an answer means that the message has been taken over, and a crash costs it no more.
TEST_F(CommitGateTest, PubackAndPubrecComeOnceTheMessageIsTakenOver) {
  const ConnectOptions kept{.clean = false};
  Client& s = h.client("s", kept);
  s.subscribe("t", 2);
  s.lose();
  Client& p = h.client("p");
  h.hold_disk();
  p.publish("t", "lost 1", {.qos = 1, .id = 1});
  p.publish("t", "lost 2", {.qos = 2, .id = 2});
  EXPECT_EQ(p.got(), "");
  h.crash();
  p.connect({});
  EXPECT_EQ(p.got(), "connack 0");
  p.publish("t", "safe 1", {.qos = 1, .id = 1});
  p.publish("t", "safe 2", {.qos = 2, .id = 2});
  EXPECT_EQ(p.got(), "");
  h.commit_all();
  EXPECT_EQ(p.got(), "puback #1, pubrec #2");
  h.crash();
  h.free_disk();
  s.connect(kept);
  std::string text = s.got();
  EXPECT_NE(text.find("t=safe 1 q1"), text.npos) << text;
  EXPECT_NE(text.find("t=safe 2 q2"), text.npos) << text;
  EXPECT_EQ(text.find("lost"), text.npos) << text;
}

TEST_F(CommitGateTest, PubackWithoutAnObligationDoesNotWait) {
  h.client("s").subscribe("t", 1);
  Client& p = h.client("p");
  h.hold_disk();
  p.publish("t", "x", {.qos = 1, .id = 7});
  EXPECT_EQ(p.got(), "puback #7");
}

TEST_F(CommitGateTest, AcknowledgementsKeepTheirOrderAcrossGatedAndNotGated) {  // [MQTT-4.6.0-2]
  h.client("s", {.clean = false}).subscribe("kept", 1);
  Client& p = h.client("p");
  h.hold_disk();
  p.publish("kept", "1", {.qos = 1, .id = 1});
  p.publish("nobody", "2", {.qos = 1, .id = 2});
  EXPECT_EQ(p.got(), "");
  h.commit();
  EXPECT_EQ(p.got(), "puback #1, puback #2");
}

// Two batches are on their way. What waits for the first is held after what waits for the second, by another client;
// it must go with the first, or a later answer that waits for nothing overtakes it.
TEST_F(CommitGateTest, AcknowledgementsKeepTheirOrderWhenBatchesCommitOneByOne) {
  h.client("s", {.clean = false}).subscribe("kept", 1);
  Client& a = h.client("a", {.clean = false});
  Client& b = h.client("b");
  h.hold_disk();
  a.publish("nobody", "1", {.qos = 2, .id = 1});               // batch 1: the receipt
  b.publish("kept", "x", {.qos = 1, .id = 9});                 // batch 2
  a.publish("nobody", "1", {.qos = 2, .id = 1, .dup = true});  // waits for batch 1, behind b
  h.commit();
  a.publish("nobody", "3", {.qos = 1, .id = 3});
  EXPECT_EQ(a.got(), "pubrec #1, pubrec #1, puback #3");
  EXPECT_EQ(b.got(), "");
  h.commit();
  EXPECT_EQ(b.got(), "puback #9");
}

TEST_F(CommitGateTest, ARepeatedPublishWaitsForTheBatchOfTheFirst) {
  Client& a = h.client("a", {.clean = false});
  h.hold_disk();
  a.publish("t", "1", {.qos = 2, .id = 1});
  a.publish("t", "1", {.qos = 2, .id = 1, .dup = true});
  EXPECT_EQ(a.got(), "");
  h.commit_all();
  EXPECT_EQ(a.got(), "pubrec #1, pubrec #1");
}

TEST_F(CommitGateTest, PubcompWaitsUntilTheReceiptIsGoneFromDisk) {
  Client& a = h.client("a", {.clean = false});
  a.publish("t", "1", {.qos = 2, .id = 1});
  EXPECT_EQ(a.got(), "pubrec #1");
  h.hold_disk();
  a.pubrel(1);
  EXPECT_EQ(a.got(), "");
  h.commit();
  EXPECT_EQ(a.got(), "pubcomp #1");
}

TEST_F(CommitGateTest, ConnackOfAPersistentSessionWaitsAndNothingPrecedesIt) {  // [MQTT-3.2.0-1]
  Client& p = h.client("p");
  Client& s = h.newcomer("s");
  h.hold_disk();
  s.connect({.clean = false});
  s.subscribe("t", 0);
  s.ping();
  p.publish("t", "x");
  EXPECT_EQ(s.got(), "");
  h.commit_all();
  EXPECT_EQ(s.got(), "connack 0, suback #1 00, pingresp, publish t=x");
}

TEST_F(CommitGateTest, ConnackOfACleanSessionDoesNotWait) {
  h.hold_disk();
  h.client("s");
}

// Else a crash would bring back the session that the client asked to end.
TEST_F(CommitGateTest, ConnackOfACleanSessionWaitsForTheEndOfTheKeptOneBefore) {
  Client& s = h.client("s", {.clean = false});
  s.disconnect();
  h.hold_disk();
  s.connect({});
  EXPECT_EQ(s.got(), "");
  h.commit_all();
  EXPECT_EQ(s.got(), "connack 0");
}

TEST_F(CommitGateTest, PingrespIsNotBlockedByTheDisk) {
  Client& s = h.client("s", {.clean = false});
  h.hold_disk();
  s.subscribe("t", 1);
  s.ping();
  EXPECT_EQ(s.got(), "pingresp");
  h.commit();
  EXPECT_EQ(s.got(), "suback #1 01");
}

TEST_F(CommitGateTest, RetainedMessagesFollowTheirSuback) {
  h.client("p").publish("t", "kept", {.retain = true});
  Client& s = h.client("s", {.clean = false});
  h.hold_disk();
  s.subscribe("t", 0);
  EXPECT_EQ(s.got(), "");
  h.commit();
  EXPECT_EQ(s.got(), "suback #1 00, publish t=kept retain");
}

// The SUBACK of a clean session waits for no batch of its own, but for the acknowledgements before it.
TEST_F(CommitGateTest, RetainedMessagesFollowASubackThatWaitsBehindAPuback) {
  h.client("p").publish("t", "kept", {.retain = true});
  h.client("d", {.clean = false}).subscribe("kept", 1);
  Client& s = h.client("s");
  h.hold_disk();
  s.publish("kept", "x", {.qos = 1, .id = 5});
  s.subscribe("t", 0);
  EXPECT_EQ(s.got(), "");
  h.commit();
  EXPECT_EQ(s.got(), "puback #5, suback #1 00, publish t=kept retain");
}

TEST_F(CommitGateTest, UnsubackOfAPersistentSessionWaits) {
  Client& s = h.client("s", {.clean = false});
  s.subscribe("t", 1);
  EXPECT_EQ(s.got(), "suback #1 01");
  h.hold_disk();
  s.unsubscribe("t", 2);
  EXPECT_EQ(s.got(), "");
  h.commit();
  EXPECT_EQ(s.got(), "unsuback #2");
}

TEST_F(CommitGateTest, Qos2ToAPersistentSessionIsHeldUntilItsPacketIdIsOnDisk) {
  Client& s = h.client("s", {.clean = false});
  s.subscribe("t", 2);
  EXPECT_EQ(s.got(), "suback #1 02");
  Client& p = h.client("p");
  h.hold_disk();
  p.publish("t", "x", {.qos = 2, .id = 1});
  EXPECT_EQ(s.got(), "");
  h.commit();
  EXPECT_EQ(s.got(), "publish t=x q2 #1");
}

TEST_F(CommitGateTest, Qos1ToAPersistentSessionIsNotHeld) {
  Client& s = h.client("s", {.clean = false});
  s.subscribe("t", 1);
  EXPECT_EQ(s.got(), "suback #1 01");
  Client& p = h.client("p");
  h.hold_disk();
  p.publish("t", "x", {.qos = 1, .id = 1});
  EXPECT_EQ(s.got(), "publish t=x q1 #1");
  EXPECT_EQ(p.got(), "");
}

// It told the time that was left when it began to wait, and went out also when nothing was left.
TEST_F(CommitGateTest, WhatWaitsGrowsOlderMeanwhile) {  // [MQTT-3.3.2-6]
  Client& s = h.client("s", {.version = v5, .clean = false, .properties = session_expiry(forever)});
  s.subscribe("t", 2);
  (void)s.got();
  Client& p = h.client("p", {.version = v5});
  h.hold_disk();
  p.publish("t", "x", {.qos = 2, .id = 1, .properties = message_expiry(10)});
  h.advance(Seconds{4});
  h.commit();
  EXPECT_EQ(s.got(), "publish t=x q2 #1 expiry=6");
  s.lose();
  s.connect({.version = v5, .clean = false, .properties = session_expiry(forever)});
  h.advance(Seconds{10});
  h.free_disk();
  EXPECT_EQ(s.got(), "connack 0 present, publish t=x q2 #1 dup expiry=0");  // it is on its way
}

TEST_F(CommitGateTest, WhatExpiresWhileItWaitsIsNotSentAndTakesNoRoom) {  // [MQTT-3.3.2-5]
  for (mqtt::Version version : {v4, v5}) {
    ConnectOptions options{.version = version, .clean = false};
    if (version == v5) options.properties = session_expiry(forever);
    Client& s = h.client(version == v5 ? "s5" : "s4", options);
    h.client("r", {.version = v5}).publish("r", "retained", {.retain = true, .properties = message_expiry(10)});
    s.subscribe("t", 2);
    (void)s.got();
    Client& p = h.client("p", {.version = v5});
    h.hold_disk();
    s.subscribe("r", 0);
    p.publish("t", "1", {.qos = 2, .id = 1, .properties = message_expiry(10)});
    p.publish("t", "2", {.qos = 1, .id = 2, .properties = message_expiry(10)});
    p.publish("t", "3", {.qos = 1, .id = 3});
    h.advance(Seconds{10});
    h.free_disk();
    EXPECT_EQ(s.got(), "suback #1 00, publish t=3 q1 #3");
    s.puback(3);
    EXPECT_EQ(h.records_on_disk(), 0u);
    EXPECT_EQ(h.counters().dropped_expired, version == v5 ? 6u : 3u);
    s.lose();
    s.connect(options);
    EXPECT_EQ(s.got(), "connack 0 present");
    s.connect({.version = version});  // it is kept no more
  }
}

TEST_F(CommitGateTest, PubrelWaitsForTheDisk) {
  Client& s = h.client("s", {.clean = false});
  s.subscribe("t", 2);
  h.client("p").publish("t", "x", {.qos = 2, .id = 1});
  EXPECT_EQ(s.got(), "suback #1 02, publish t=x q2 #1");
  h.hold_disk();
  s.pubrec(1);
  EXPECT_EQ(s.got(), "");
  h.commit();
  EXPECT_EQ(s.got(), "pubrel #1");
}

// A promise that adds nothing to the batch must not wait for a batch that never comes.
TEST_F(CommitGateTest, AcknowledgesAnObligationThatPutNothingIntoTheBatch) {
  Client& p = h.client("p");
  p.publish("t", "", {.qos = 1, .id = 1, .retain = true});  // nothing to clear
  EXPECT_EQ(p.got(), "puback #1");
  h.limits.queued_messages_max = 0;
  h.apply_limits();
  h.client("s", {.clean = false}).subscribe("kept", 1);
  p.publish("kept", "x", {.qos = 1, .id = 2});  // the queue is full
  EXPECT_EQ(p.got(), "puback #2");
  EXPECT_EQ(h.counters().dropped_queue_full, 1u);
}

// b clears what a has cleared in a batch that is still on its way: b is told no sooner than a.
TEST_F(CommitGateTest, ARepeatedClearingWaitsForTheFirst) {
  Client& a = h.client("a");
  Client& b = h.client("b");
  a.publish("t", "x", {.retain = true});
  h.hold_disk();
  a.publish("t", "", {.qos = 1, .id = 1, .retain = true});
  b.publish("t", "", {.qos = 1, .id = 2, .retain = true});
  EXPECT_EQ(a.got() + b.got(), "");
  h.commit();
  EXPECT_EQ(a.got(), "puback #1");
  EXPECT_EQ(b.got(), "puback #2");
}

// The disk stands still after a SUBSCRIBE, and everything sent waits behind its SUBACK: what is published meanwhile stays
// within the limit, and the retained messages within their own, however often they are asked for.
TEST_F(CommitGateTest, WhatWaitsBehindASubackStaysWithinTheOutputLimit) {
  h.limits.output_bytes_max = 1000;
  h.apply_limits();
  Client& s = h.client("s", {.clean = false});
  Client& p = h.client("p");
  h.hold_disk();
  s.subscribe("t", 0);
  for (int i = 0; i < 100; ++i) p.publish("t", std::string(100, 'x'));
  EXPECT_GE(h.counters().dropped_slow_connection, 80u);
  h.commit_all();
  EXPECT_LE(h.out().buffer(s.conn())->bytes(), 1300u);
  (void)s.got();

  for (int i = 0; i < 50; ++i) p.publish("r/" + std::to_string(i), std::string(100, 'x'), {.retain = true});
  h.commit_all();
  uint64_t dropped = h.counters().dropped_slow_connection;
  s.subscribe("r/#", 0);
  EXPECT_EQ(h.counters().dropped_slow_connection, dropped);
  for (int i = 0; i < 100; ++i) p.publish("t", std::string(100, 'x'));
  for (int i = 0; i < 3; ++i) s.subscribe("r/#", 0);  // each waits until what the one before it brought has been read
  EXPECT_EQ(h.counters().dropped_slow_connection, dropped + 100);
  for (int i = 0; i < 4; ++i) {
    h.commit_all();
    EXPECT_LE(h.out().buffer(s.conn())->bytes(), 1000u + h.broker().retained().bytes());
    EXPECT_EQ(s.packets().size(), 1 + 50u);
  }
  EXPECT_EQ(h.counters().dropped_slow_connection, dropped + 100);
  p.publish("t", "again");
  EXPECT_EQ(s.got(), "publish t=again");
}

TEST_F(CommitGateTest, WhatIsHeldForAClosedConnectionGoesNowhere) {
  h.client("s", {.clean = false}).subscribe("t", 1);
  Client& p = h.client("p");
  h.hold_disk();
  p.publish("t", "x", {.qos = 1, .id = 7});
  p.disconnect();
  Client& q = h.newcomer("q");  // perhaps in the slot of p
  q.connect({});
  h.commit_all();
  EXPECT_EQ(q.got(), "connack 0");
}

}  // namespace
}  // namespace tidegate::test
