// What is counted for the $SYS tree, and what the broker says that it holds.
#include <gtest/gtest.h>

#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

TEST(Counters, CountPacketsAndPayloadsBothWays) {
  BrokerHarness h;
  Client& a = h.client("a");
  a.subscribe("t", 1);
  a.publish("t", "12345", {.qos = 1, .id = 7});
  EXPECT_EQ(a.got(), "suback #1 01, publish t=12345 q1 #1, puback #7");
  EXPECT_EQ(h.counters().connects_received, 1u);
  EXPECT_EQ(h.counters().packets_received, 3u);
  EXPECT_EQ(h.counters().packets_sent, 4u);
  EXPECT_EQ(h.counters().publish_bytes_received, 5u);
  EXPECT_EQ(h.counters().publish_bytes_sent, 5u);
}

TEST(Counters, CountAPacketThatWaitsForTheDiskOnce) {
  BrokerHarness h;
  Client& a = h.client("a");
  h.hold_disk();
  a.publish("t", "x", {.qos = 1, .id = 7, .retain = true});
  EXPECT_EQ(a.got(), "");
  EXPECT_EQ(h.counters().packets_sent, 2u);
  h.commit_all();
  EXPECT_EQ(a.got(), "puback #7");
  EXPECT_EQ(h.counters().packets_sent, 2u);
}

TEST(Counters, CountAPacketThatIsHeldWhenItIsTaken) {
  BrokerHarness h;
  Client& a = h.client("a");
  h.turn([&] { h.broker().set_store_state({broker::StoreState::refusing, broker::StoreState::ready}); });
  a.publish("t", "x", {.qos = 1, .id = 7, .retain = true});
  EXPECT_EQ(h.counters().packets_received, 1u);
  h.turn([&] { h.broker().set_store_state({}); });
  EXPECT_EQ(a.got(), "puback #7");
  EXPECT_EQ(h.counters().packets_received, 2u);
}

TEST(Counters, RememberTheMostClientsAtOneTime) {
  BrokerHarness h;
  h.client("a").disconnect();
  h.client("b");
  h.client("c");
  EXPECT_EQ(h.counters().connections_max, 2u);
}

TEST(Counters, TellSharedSubscriptionsFromOthers) {
  BrokerHarness h;
  Client& a = h.client("a", {.version = v5});
  for (const char* filter : {"t", "$share/g/t", "$share/g/t", "$share/h/t"}) a.subscribe(filter, 0);
  EXPECT_EQ(h.broker().subscriptions(), 3u);
  EXPECT_EQ(h.broker().shared_subscriptions(), 2u);
  a.unsubscribe("$share/h/t");
  a.unsubscribe("$share/h/t");
  EXPECT_EQ(h.broker().shared_subscriptions(), 1u);
  a.disconnect();
  EXPECT_EQ(h.broker().shared_subscriptions(), 0u);
  EXPECT_EQ(h.broker().subscriptions(), 0u);
}

TEST(Holdings, AddUpWhatSessionsAreOwed) {
  BrokerHarness h;
  h.client("away", {.clean = false}).subscribe("t", 1);
  Client& here = h.client("here");
  here.subscribe("t", 1);
  Client& p = h.client("p");
  for (uint16_t id = 1; id <= 3; ++id) p.publish("t", "x", {.qos = 1, .id = id});
  EXPECT_EQ(h.broker().holdings().inflight, 6u);
  EXPECT_EQ(h.broker().holdings().queued_messages, 3u);
  EXPECT_GT(h.broker().holdings().queued_bytes, 6u);
  for (uint16_t id = 1; id <= 3; ++id) here.puback(id);
  EXPECT_EQ(h.broker().holdings().inflight, 3u);
  h.crash();
  EXPECT_EQ(h.broker().holdings().inflight, 0u);
  EXPECT_EQ(h.broker().holdings().queued_messages, 3u);
}

}  // namespace
}  // namespace tidegate::test
