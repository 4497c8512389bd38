// A failed write or a full disk ends promises, not service (invariant 8), and everything has a limit (invariant 4).
#include <gtest/gtest.h>

#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

using broker::StoreState;

struct StoreStateTest : testing::Test {
  StoreStateTest() { h.client("kept", {.clean = false}).subscribe("kept/#", 1); }
  void store_is(StoreState state) {
    h.turn([&] { h.broker().set_store_state(state); });
  }
  BrokerHarness h;
};

TEST_F(StoreStateTest, ADurablePublishIsRefusedAloudIn5) {
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

TEST_F(StoreStateTest, Before5APublisherIsClosedAfterAWhileSoThatItResends) {
  Client& p = h.client("p");
  store_is(StoreState::refusing);
  p.publish("kept/t", "x", {.qos = 1, .id = 1});
  h.advance(Seconds{30});
  EXPECT_EQ(p.got(), "closed");
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
