// A failed write or a full disk ends promises, not service (invariant 8), and everything has a limit (invariant 4).
#include <gtest/gtest.h>

#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

using broker::StoreState;

struct StoreStateTest : testing::Test {
  StoreStateTest() { h.client("kept", {.clean = false}).subscribe("kept/#", 1); }
  void store_is(StoreState messages, StoreState control) {
    h.turn([&] { h.broker().set_store_state({messages, control}); });
  }
  // While the disk is but low, small records still find room.
  void store_is(StoreState state) { store_is(state, state == StoreState::busy ? state : StoreState::ready); }
  // No write succeeds, and as much waits as may.
  void disk_fails() { store_is(StoreState::refusing, StoreState::refusing); }
  BrokerHarness h;
};

TEST_F(StoreStateTest, ADurablePublishIsRefusedAloudIn5) {  // [MQTT-4.3.3-9]
  Client& p = h.client("p", {.version = v5});
  store_is(StoreState::refusing);
  p.publish("kept/t", "x", {.qos = 1, .id = 1});
  p.publish("kept/t", "x", {.qos = 2, .id = 2});
  p.publish("r", "x", {.qos = 1, .id = 3, .retain = true});
  EXPECT_EQ(p.got(), "puback #1 0x97, pubrec #2 0x97, puback #3 0x97");
  EXPECT_EQ(h.counters().refused_store, 3u);
  store_is(StoreState::ready);
  p.publish("kept/t", "y", {.qos = 2, .id = 2});  // the id was free again
  EXPECT_EQ(p.got(), "pubrec #2");
}

TEST_F(StoreStateTest, Before5APublisherIsHeldAndAcknowledgedWhenSpaceReturns) {
  Client& p = h.client("p");
  store_is(StoreState::refusing);
  p.publish("kept/t", "x", {.qos = 1, .id = 1});
  p.ping();  // stands behind it, not read yet
  EXPECT_EQ(p.got(), "");
  h.advance(Seconds{29});
  store_is(StoreState::ready);
  EXPECT_EQ(p.got(), "pingresp, puback #1");
  h.advance(Seconds{60});
  EXPECT_TRUE(p.is_open());
}

TEST_F(StoreStateTest, Before5APublisherIsClosedAfterAWhileSoThatItResends) {  // [MQTT-4.8.0-2 of 3.1.1]
  Client& p = h.client("p");
  store_is(StoreState::refusing);
  p.publish("kept/t", "x", {.qos = 1, .id = 1});
  h.advance(Seconds{30});
  EXPECT_EQ(p.got(), "closed");
}

TEST_F(StoreStateTest, WhoseAnswersDoNotComeIsClosedAfterAWhileAsWell) {
  h.limits.receive_max = 1;
  h.apply_limits();
  Client& p = h.client("p", {.version = v5});
  h.hold_disk();
  p.publish("kept/t", "x", {.qos = 1, .id = 1});
  p.publish("kept/t", "x", {.qos = 1, .id = 2});  // beyond the Receive Maximum: it waits for the first one's answer
  h.advance(Seconds{60});
  store_is(StoreState::refusing);
  h.advance(Seconds{29});
  EXPECT_TRUE(p.is_open());
  h.advance(Seconds{1});
  EXPECT_EQ(p.got(), "disconnect 0x97, closed");
}

TEST_F(StoreStateTest, ABusyStoreHoldsPublishersAndBlamesNobody) {
  Client& p = h.client("p", {.version = v5, .keep_alive = 10});
  Client& q = h.client("q");
  store_is(StoreState::busy);
  p.publish("kept/t", "x", {.qos = 1, .id = 1});
  q.publish("kept/t", "x", {.qos = 1, .id = 1});
  h.advance(Seconds{100});
  EXPECT_EQ(p.got() + q.got(), "");
  store_is(StoreState::ready);
  EXPECT_EQ(p.got(), "puback #1");
  EXPECT_EQ(q.got(), "puback #1");
}

TEST_F(StoreStateTest, WhoWasHeldByABusyStoreIsToldWhenItRefuses) {
  Client& p = h.client("p", {.version = v5});
  Client& q = h.client("q");
  store_is(StoreState::busy);
  p.publish("kept/t", "x", {.qos = 1, .id = 1});
  q.publish("kept/t", "x", {.qos = 1, .id = 1});
  h.advance(Seconds{60});
  store_is(StoreState::refusing);
  EXPECT_EQ(p.got(), "puback #1 0x97");
  EXPECT_EQ(q.got(), "");
  h.advance(Seconds{29});
  EXPECT_TRUE(q.is_open());
  h.advance(Seconds{1});
  EXPECT_EQ(q.got(), "closed");
}

TEST_F(StoreStateTest, WhatNeedsNoStoreGoesOn) {
  Client& s = h.client("s");
  s.subscribe("#", 1);
  (void)s.got();
  Client& p = h.client("p");
  store_is(StoreState::refusing);
  p.publish("kept/t", "0");
  p.publish("clean", "1", {.qos = 1, .id = 1});
  EXPECT_EQ(s.got(), "publish kept/t=0, publish clean=1 q1 #1");
  EXPECT_EQ(p.got(), "puback #1");
}

TEST_F(StoreStateTest, RetainedQos0IsDeliveredAndCountedWhileTheStoreRefuses) {
  Client& s = h.client("s");
  s.subscribe("r", 0);
  (void)s.got();
  Client& p = h.client("p");
  store_is(StoreState::refusing);
  p.publish("r", "x", {.retain = true});
  EXPECT_EQ(s.got(), "publish r=x");
  EXPECT_EQ(h.broker().retained().count(), 0u);
  EXPECT_EQ(h.counters().refused_store, 1u);
}

TEST_F(StoreStateTest, RetainedQos0WaitsForABusyStore) {
  Client& p = h.client("p");
  store_is(StoreState::busy);
  p.publish("r", "x", {.retain = true});
  p.publish("t", "y");
  store_is(StoreState::ready);
  EXPECT_EQ(h.broker().retained().count(), 1u);
}

TEST_F(StoreStateTest, AHeldPublisherMayLeave) {
  Client& p = h.client("p");
  store_is(StoreState::refusing);
  p.publish("kept/t", "x", {.qos = 1, .id = 1});
  p.lose();
  Client& q = h.client("p");  // perhaps in the same slot
  store_is(StoreState::ready);
  h.advance(Seconds{60});
  EXPECT_TRUE(q.is_open());
  EXPECT_EQ(q.got(), "");
}

TEST_F(StoreStateTest, AFailingDiskLosesNothingThatWasTaken) {
  Client& p = h.client("p");
  h.store().fail_next(3, ErrorCode::no_space);
  h.hold_disk();
  p.publish("kept/t", "x", {.qos = 1, .id = 1});
  for (int i = 0; i < 3; ++i) h.commit();
  EXPECT_EQ(p.got(), "");
  h.commit();
  EXPECT_EQ(p.got(), "puback #1");
}

TEST_F(StoreStateTest, BelowMinFreeDevicesComeBackAndSubscribe) {
  store_is(StoreState::refusing);
  Client& s = h.client("new", {.clean = false, .will = WillOptions{}});
  s.subscribe("t", 1);
  s.unsubscribe("t", 2);
  EXPECT_EQ(s.got(), "suback #1 01, unsuback #2");
}

TEST_F(StoreStateTest, AFailingDiskRefusesWhatConnectWouldStore) {
  disk_fails();
  for (auto [version, answer] : {std::pair{v4, "connack 3, closed"}, std::pair{v5, "connack 0x97, closed"}}) {
    Client& kept_session = h.newcomer("new");
    kept_session.connect({.version = version, .clean = false, .properties = version == v5 ? session_expiry(9) : ""});
    EXPECT_EQ(kept_session.got(), answer);
    Client& with_will = h.newcomer("new");
    with_will.connect({.version = version, .will = WillOptions{}});
    EXPECT_EQ(with_will.got(), answer);
  }
  EXPECT_EQ(h.counters().refused_store, 4u);
  EXPECT_EQ(h.broker().sessions(), 1u);
  EXPECT_EQ(h.broker().pending_connects(), 0u);
  h.client("clean").subscribe("t", 1);
  h.client("clean5", {.version = v5}).subscribe("t", 1);
}

TEST_F(StoreStateTest, WhoIsRefusedTakesNothingOver) {
  Client& old = h.client("same", {.clean = false});
  disk_fails();
  Client& fresh = h.newcomer("same");
  fresh.connect({.clean = false});
  EXPECT_EQ(fresh.got(), "connack 3, closed");
  old.ping();
  EXPECT_EQ(old.got(), "pingresp");
}

// A session kept by an earlier connection is stored again although this one asks for nothing.
TEST_F(StoreStateTest, AFailingDiskRefusesASessionThatStaysKept) {
  disk_fails();
  Client& c = h.newcomer("kept");
  c.connect({.version = v5, .clean = false});
  EXPECT_EQ(c.got(), "connack 0x97, closed");
}

TEST_F(StoreStateTest, AFailingDiskRefusesFiltersThatWouldBeStored) {
  Client& s = h.client("s", {.clean = false});
  Client& s5 = h.client("s5", {.version = v5, .properties = session_expiry(9)});
  disk_fails();
  s.subscribe("t", 1);
  s5.subscribe("t", 1);
  s5.subscribe("a/#/b", 1);
  EXPECT_EQ(s.got(), "suback #1 80");
  EXPECT_EQ(s5.got(), "suback #1 97, suback #1 8f");
  EXPECT_EQ(h.counters().refused_store, 2u);
  EXPECT_EQ(h.broker().subscriptions(), 1u);  // of "kept"
  store_is(StoreState::ready);
  s.subscribe("t", 1);
  EXPECT_EQ(s.got(), "suback #1 01");
}

TEST_F(StoreStateTest, AFailingDiskHoldsAnUnsubscribeThatCannotBeRefused) {
  Client& s = h.client("s", {.clean = false});
  s.subscribe("t", 1);
  EXPECT_EQ(s.got(), "suback #1 01");
  disk_fails();
  s.unsubscribe("none", 2);
  s.unsubscribe("t", 3);
  EXPECT_EQ(s.got(), "unsuback #2");
  h.advance(Seconds{29});
  EXPECT_EQ(s.got(), "");
  store_is(StoreState::ready);
  EXPECT_EQ(s.got(), "unsuback #3");
  s.subscribe("t", 1);
  disk_fails();
  s.unsubscribe("t", 4);
  h.advance(Seconds{30});
  EXPECT_EQ(s.got(), "suback #1 01, closed");
}

TEST_F(StoreStateTest, AFailingDiskRefusesAnUnsubscribeIn5) {
  Client& s = h.client("s", {.version = v5, .properties = session_expiry(9)});
  s.subscribe("t", 1);
  disk_fails();
  s.unsubscribe("t", 2);
  s.unsubscribe("none", 3);
  EXPECT_EQ(s.got(), "suback #1 01, unsuback #2 80, unsuback #3 11");
  EXPECT_EQ(h.broker().subscriptions(), 2u);  // it and that of "kept"
}

// The receipt of a QoS 2 message is stored although nobody wants the message.
TEST_F(StoreStateTest, ReceiptsOfKeptSessionsAreBounded) {
  Client& s = h.client("s", {.clean = false});
  Client& s5 = h.client("s5", {.version = v5, .properties = session_expiry(9)});
  Client& clean = h.client("clean");
  disk_fails();
  s.publish("nobody", "x", {.qos = 2, .id = 1});
  s5.publish("nobody", "x", {.qos = 2, .id = 1});
  clean.publish("nobody", "x", {.qos = 2, .id = 1});
  EXPECT_EQ(s.got(), "");
  EXPECT_EQ(s5.got(), "pubrec #1 0x97");
  EXPECT_EQ(clean.got(), "pubrec #1");
  store_is(StoreState::ready);
  EXPECT_EQ(s.got(), "pubrec #1");
}

TEST_F(StoreStateTest, ABusyStoreHoldsConnectsAndBlamesNobody) {
  store_is(StoreState::busy);
  Client& s = h.newcomer("s");
  s.connect({.clean = false, .keep_alive = 10});
  s.ping();                                      // stands behind it
  EXPECT_EQ(h.broker().pending_connects(), 0u);  // it has sent CONNECT
  h.client("clean").subscribe("t", 1);
  h.advance(Seconds{100});
  EXPECT_EQ(s.got(), "");
  store_is(StoreState::ready);
  EXPECT_EQ(s.got(), "connack 0, pingresp");
}

TEST_F(StoreStateTest, ABusyStoreHoldsConnectsInTheirOrder) {
  Client& first = h.client("frees a slot");
  Client& old = h.newcomer("same");
  store_is(StoreState::busy);
  old.connect({.clean = false});
  first.disconnect();
  Client& fresh = h.newcomer("same");  // in a slot before that of `old`
  fresh.connect({.clean = false});
  store_is(StoreState::ready);
  EXPECT_EQ(old.got(), "closed");
  EXPECT_EQ(fresh.got(), "connack 0 present");
}

TEST_F(StoreStateTest, WhoseConnectIsHeldMayLeave) {
  store_is(StoreState::busy);
  Client& s = h.newcomer("s");
  s.connect({.clean = false});
  s.lose();
  Client& again = h.newcomer("s");  // in the same slot
  again.open();
  store_is(StoreState::ready);
  EXPECT_EQ(again.got(), "");
  EXPECT_EQ(h.broker().sessions(), 1u);
  EXPECT_EQ(h.broker().pending_connects(), 1u);
}

TEST_F(StoreStateTest, WhoseConnectIsHeldIsToldWhenTheDiskFails) {
  h.listener.check_credentials = true;
  store_is(StoreState::busy);
  Client& s = h.newcomer("s");
  s.connect({.clean = false, .username = "u"});
  h.check_credentials(true);
  EXPECT_EQ(s.got(), "");
  disk_fails();
  EXPECT_EQ(s.got(), "connack 3, closed");
  EXPECT_EQ(h.broker().pending_connects(), 0u);
}

TEST_F(StoreStateTest, ABusyStoreHoldsSubscribeAndUnsubscribeOfKeptSessions) {
  Client& s = h.client("s", {.clean = false, .keep_alive = 10});
  store_is(StoreState::refusing, StoreState::busy);  // also where the disk is low, besides
  s.subscribe("t", 1);
  h.advance(Seconds{100});
  EXPECT_EQ(s.got(), "");
  store_is(StoreState::ready);
  EXPECT_EQ(s.got(), "suback #1 01");
  store_is(StoreState::busy);
  s.unsubscribe("t", 2);
  s.ping();
  EXPECT_EQ(s.got(), "");
  store_is(StoreState::ready);
  EXPECT_EQ(s.got(), "pingresp, unsuback #2");  // which waits for the disk
}

// Its time runs from the first refusal, whatever else changes meanwhile.
TEST_F(StoreStateTest, AHeldPublisherIsClosedInTimeWhileTheRestChanges) {
  Client& p = h.client("p");
  store_is(StoreState::refusing);
  p.publish("kept/t", "x", {.qos = 1, .id = 1});
  for (int i = 0; i < 15; ++i) {
    h.advance(Seconds{2});
    store_is(StoreState::refusing, i % 2 == 0 ? StoreState::busy : StoreState::ready);
  }
  EXPECT_EQ(p.got(), "closed");
}

TEST_F(StoreStateTest, DeadlinesOfClientsThatComeAndGoDoNotPileUp) {
  Client& c = h.newcomer("c");
  for (int i = 0; i < 5000; ++i) {
    c.connect({.version = v5,
               .clean = false,
               .keep_alive = 65535,
               .will = WillOptions{.properties = prop(mqtt::PropertyId::will_delay_interval, 10'000)},
               .properties = session_expiry(1'000'000)});
    c.lose();
    if (i % 100 == 0) h.advance(Millis{1});
  }
  h.advance(Seconds{20});
  EXPECT_LT(h.broker().deadlines(), 1100u);
  h.advance(Seconds{1'000'000});
  EXPECT_EQ(h.broker().sessions(), 1u);  // "kept"; c has expired
}

}  // namespace
}  // namespace tidegate::test
