// Bridges as the broker sees them: rules, their queue, their lane for QoS 0, their inbox (rules of the road 4, 5).
#include <gtest/gtest.h>

#include "store/keys.h"
#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

using broker::BridgeEnd;
using broker::BridgeRoute;

constexpr QueueId queue_of(uint32_t bridge) {
  return QueueId{1000 + bridge};
}

struct BridgeRouteTest : testing::Test {
  struct Rule {
    std::string filter;
    std::string prefix;
    int qos_max = 1;
    bool queue_qos0 = false;
    bool keep_retain = true;
  };

  static std::vector<BridgeRoute> routes_of(const std::vector<Rule>& rules) {
    std::vector<BridgeRoute> routes;
    for (const Rule& rule : rules) {
      BridgeRoute& route = routes.emplace_back(BridgeRoute{nullptr,
                                                           static_cast<uint32_t>(routes.size()),
                                                           *TopicFilter::parse(rule.filter),
                                                           rule.prefix + rule.filter,
                                                           Qos(rule.qos_max),
                                                           rule.queue_qos0,
                                                           rule.keep_retain,
                                                           {}});
      route.map = [prefix = rule.prefix](TopicName local) -> std::optional<std::string> {
        if (prefix == "never") return {};
        return prefix + std::string(local.text());
      };
    }
    return routes;
  }

  void attach(uint32_t id, const std::vector<Rule>& rules) {
    auto state = h.store().table(store::Table::state);
    auto stored_tail = store::decode_queue_tail(state[store::queue_tail_key(queue_of(id))]);
    auto known = store::decode_bridge_rules(state[store::bridge_rules_key(queue_of(id))]);
    auto bridge = std::make_unique<BridgeEnd>(
        BridgeEnd{BridgeId{id},
                  store::QueueAppender(queue_of(id), stored_tail.value_or(store::QueueTail{})),
                  routes_of(rules),
                  known.value_or(std::vector<store::BridgeRule>{}),
                  {},
                  {},
                  false,
                  {}});
    bridge->offer_qos0 = [this](MessagePtr message) {
      lane += message->topic + "=" + message->payload + ";";
      return true;
    };
    bridge->committed = [this](const store::QueueTail& tail) { tails.push_back(tail.next.value); };
    h.turn([&] { h.broker().attach(std::move(bridge)); });
  }

  void replace(uint32_t id, const std::vector<Rule>& rules) {
    h.turn([&] { h.broker().replace_routes(BridgeId{id}, routes_of(rules)); });
  }

  void retain(std::string_view topic, int qos) {
    h.client("retainer").publish(topic, "kept", {.qos = qos, .id = 9, .retain = true});
  }

  // What stands in the queue of a bridge on disk.
  std::string queued(uint32_t id) {
    std::vector<store::QueueRecord> records;
    EXPECT_TRUE(h.store().read_queue(queue_of(id), Seq{1}, Seq{1000}, {}, records));
    std::string text;
    for (const store::QueueRecord& record : records) {
      const Message& m = *record.message;
      text += m.topic + "=" + m.payload + " q" + std::to_string(static_cast<int>(m.qos)) + (m.retain ? "r;" : ";");
    }
    return text;
  }

  BrokerHarness h;
  std::string lane;
  std::vector<uint64_t> tails;
};

TEST_F(BridgeRouteTest, AWillThatACrashFiredGoesUpAsWell) {
  h.client("device", {.will = WillOptions{.topic = "t/will", .payload = "gone", .qos = 1}});
  h.restored_state = [this] { attach(1, {{"t/#", "up/"}}); };
  h.crash();
  EXPECT_EQ(queued(1), "up/t/will=gone q1;");
}

TEST_F(BridgeRouteTest, QueuesObligationsWithTheirPromise) {
  attach(1, {{"t/#", "up/"}});
  Client& p = h.client("p");
  h.hold_disk();
  p.publish("t/a", "x", {.qos = 1, .id = 1});
  EXPECT_EQ(p.got(), "");
  EXPECT_TRUE(tails.empty());
  h.commit();
  EXPECT_EQ(p.got(), "puback #1");
  EXPECT_EQ(queued(1), "up/t/a=x q1;");
  EXPECT_EQ(tails, std::vector<uint64_t>{2});
}

TEST_F(BridgeRouteTest, TheBridgeHearsOfCommittedTailsAlone) {
  attach(1, {{"#", ""}});
  Client& p = h.client("p");
  h.hold_disk();
  for (uint16_t id = 1; id <= 3; ++id) p.publish("t", "x", {.qos = 1, .id = id});
  h.commit();
  EXPECT_EQ(tails, (std::vector<uint64_t>{2}));
  h.commit_all();
  EXPECT_EQ(tails, (std::vector<uint64_t>{2, 3, 4}));
}

TEST_F(BridgeRouteTest, TheFirstRuleOfABridgeWins) {
  attach(1, {{"t/#", "first/"}, {"#", "second/"}});
  attach(2, {{"#", "other/"}});
  Client& p = h.client("p");
  p.publish("t/a", "x", {.qos = 1});
  p.publish("b", "y", {.qos = 1});
  EXPECT_EQ(queued(1), "first/t/a=x q1;second/b=y q1;");
  EXPECT_EQ(queued(2), "other/t/a=x q1;other/b=y q1;");
}

TEST_F(BridgeRouteTest, NothingGoesBackToTheBridgeItCameFrom) {
  attach(1, {{"#", ""}});
  attach(2, {{"#", ""}});
  Message message;
  message.topic = "t";
  message.payload = "x";
  message.qos = Qos::at_least_once;
  message.from_bridge = BridgeId{1};
  h.turn([&] { h.broker().publish_from_bridge(message, nullptr, Seq{}); });
  EXPECT_EQ(queued(1), "");
  EXPECT_EQ(queued(2), "t=x q1;");
}

TEST_F(BridgeRouteTest, QosIsLoweredToTheRules) {
  attach(1, {{"two", "", 2}, {"one", "", 1}, {"zero", "", 0}});
  Client& p = h.client("p");
  h.hold_disk();
  for (const char* topic : {"two", "one", "zero"})
    p.publish(topic, "x", {.qos = 2, .id = static_cast<uint16_t>(*topic)});
  h.commit_all();
  EXPECT_EQ(queued(1), "two=x q2;one=x q1;");
  EXPECT_EQ(lane, "zero=x;");
}

TEST_F(BridgeRouteTest, Qos0TakesTheLaneAndWaitsForNothing) {
  attach(1, {{"#", "up/"}});
  h.hold_disk();
  h.client("p").publish("t", "x");
  EXPECT_EQ(lane, "up/t=x;");
  EXPECT_EQ(h.uncommitted(), 0u);
}

TEST_F(BridgeRouteTest, QueueQos0MakesAnObligationOfIt) {
  attach(1, {{"#", "", 1, true}});
  h.client("p").publish("t", "x");
  EXPECT_EQ(lane, "");
  EXPECT_EQ(queued(1), "t=x q1;");
}

TEST_F(BridgeRouteTest, TheRetainFlagGoesOnIfItMay) {
  attach(1, {{"a", ""}, {"b", "", 1, false, false}});
  Client& p = h.client("p");
  p.publish("a", "x", {.qos = 1, .retain = true});
  p.publish("b", "x", {.qos = 1, .retain = true});
  EXPECT_EQ(queued(1), "a=x q1r;b=x q1;");
}

TEST_F(BridgeRouteTest, WhatHasNoRemoteTopicIsCountedAndAcknowledged) {
  attach(1, {{"#", "never"}});
  Client& p = h.client("p");
  p.publish("t", "x", {.qos = 1, .id = 1});
  EXPECT_EQ(p.got(), "puback #1");
  EXPECT_EQ(h.counters().dropped_bridge_topic, 1u);
}

TEST_F(BridgeRouteTest, ReservedTopicsNeedARuleOfTheirOwn) {
  attach(1, {{"#", ""}});
  attach(2, {{"$own/#", ""}});
  h.client("p").publish("$own/t", "x", {.qos = 1});
  EXPECT_EQ(queued(1), "");
  EXPECT_EQ(queued(2), "$own/t=x q1;");
}

TEST_F(BridgeRouteTest, OwnMessagesAreNeverBridged) {
  attach(1, {{"$SYS/#", "", 1, true}});
  h.turn([&] { h.broker().publish_own("$SYS/uptime", "1"); });
  EXPECT_EQ(queued(1) + lane, "");
}

// Invariant 2: the message is in its inbox or with its receivers, whatever batch was the last.
TEST_F(BridgeRouteTest, AnInboxRecordMovesInOneBatch) {
  h.client("s", {.clean = false}).subscribe("t", 1);
  Message message;
  message.topic = "t";
  message.payload = "down";
  message.qos = Qos::at_least_once;
  message.from_bridge = BridgeId{1};
  store::Batch batch;
  store::QueueAppender inbox(QueueId{500}, {});
  inbox.append(batch, store::view_of(message));
  inbox.flush(batch);
  const store::Batch* all[] = {&batch};
  ASSERT_TRUE(h.store().write(all, true));

  store::QueueRemover remover(QueueId{500}, {});
  h.hold_disk();
  h.turn([&] { h.broker().publish_from_bridge(message, &remover, Seq{1}); });
  EXPECT_EQ(h.uncommitted(), 1u);
  EXPECT_EQ(h.records_on_disk(), 1u);  // in the inbox
  h.commit();
  EXPECT_EQ(h.records_on_disk(), 1u);  // with the session
  auto head = store::decode_queue_head(h.store().table(store::Table::state)[store::queue_head_key(QueueId{500})]);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->first, Seq{2});
  EXPECT_EQ(head->bytes_out, counted_bytes(message));
}

TEST_F(BridgeRouteTest, AMessageFromABridgeReachesClientsAndIsRetained) {
  Client& s = h.client("s");
  s.subscribe("t", 2);
  (void)s.got();
  Message message;
  message.topic = "t";
  message.payload = "down";
  message.qos = Qos::exactly_once;
  message.retain = true;
  message.from_bridge = BridgeId{1};
  h.turn([&] { h.broker().publish_from_bridge(message, nullptr, Seq{}); });
  EXPECT_EQ(s.got(), "publish t=down q2 #1");
  EXPECT_EQ(h.broker().retained().count(), 1u);
}

// Rule 5 of the road.
TEST_F(BridgeRouteTest, ANewRuleHasTheRetainedMessagesThatItMatchesQueuedOnce) {
  retain("t/0", 0);
  retain("t/1", 1);
  retain("t/2", 2);
  retain("other", 1);
  attach(1, {{"t/#", "up/"}});
  const std::string once = "up/t/0=kept q1r;up/t/1=kept q1r;up/t/2=kept q1r;";
  EXPECT_EQ(queued(1), once);
  replace(1, {{"t/#", "up/"}});
  EXPECT_EQ(queued(1), once);
  h.restored_state = [this] { attach(1, {{"t/#", "up/"}}); };
  h.crash();
  EXPECT_EQ(queued(1), once);
}

TEST_F(BridgeRouteTest, ARetainedMessageIsQueuedByTheFirstRuleThatMatchesAndOnlyIfThatIsNew) {
  retain("t/1", 1);
  attach(1, {{"t/#", "up/"}});
  retain("o/1", 1);
  replace(1, {{"t/#", "up/"}, {"+/1", "second/"}});
  EXPECT_EQ(queued(1), "up/t/1=kept q1r;second/o/1=kept q1r;");
  replace(1, {{"t/#", "elsewhere/"}, {"+/1", "second/"}});
  EXPECT_EQ(queued(1), "up/t/1=kept q1r;second/o/1=kept q1r;elsewhere/t/1=kept q1r;");
}

TEST_F(BridgeRouteTest, ARuleThatCameBackAfterItWasTakenOutIsNew) {
  retain("t", 1);
  attach(1, {{"t", ""}});
  replace(1, {});
  replace(1, {{"t", ""}});
  EXPECT_EQ(queued(1), "t=kept q1r;t=kept q1r;");
}

TEST_F(BridgeRouteTest, ANewRuleQueuesNothingExpiredNothingOfTheGatewayAndNothingForQos0) {
  Client& p = h.client("p", {.version = v5});
  p.publish("t/old", "x", {.qos = 1, .retain = true, .properties = message_expiry(10)});
  h.advance(Seconds{11});
  h.turn([&] { h.broker().publish_own("t/own", "1"); });
  retain("zero", 1);
  attach(1, {{"t/#", ""}, {"zero", "", 0}});
  EXPECT_EQ(queued(1) + lane, "");
}

TEST_F(BridgeRouteTest, ANewRuleSendsNothingBackThatCameOverItsBridge) {
  Message message;
  message.topic = "t";
  message.payload = "down";
  message.qos = Qos::at_least_once;
  message.retain = true;
  message.from_bridge = BridgeId{1};
  h.turn([&] { h.broker().publish_from_bridge(message, nullptr, Seq{}); });
  attach(1, {{"t", ""}});
  attach(2, {{"t", ""}});
  EXPECT_EQ(queued(1), "");
  EXPECT_EQ(queued(2), "t=down q1r;");
}

TEST_F(BridgeRouteTest, WhileTheStoreRefusesANewRuleStaysNew) {
  retain("t", 1);
  h.turn([&] { h.broker().set_store_state({.messages = broker::StoreState::refusing}); });
  attach(1, {{"t", ""}});
  EXPECT_EQ(queued(1), "");
  h.restored_state = [this] { attach(1, {{"t", ""}}); };
  h.crash();
  EXPECT_EQ(queued(1), "t=kept q1r;");
}

TEST_F(BridgeRouteTest, AMessageForAQueueAndASessionIsOneBatch) {
  attach(1, {{"#", ""}});
  h.client("s", {.clean = false}).subscribe("t", 1);
  Client& p = h.client("p", {.clean = false});
  h.hold_disk();
  p.publish("t", "x", {.qos = 2, .id = 1, .retain = true});
  EXPECT_EQ(h.uncommitted(), 1u);
  h.commit();
  EXPECT_EQ(h.records_on_disk(), 2u);
  EXPECT_EQ(p.got(), "pubrec #1");
}

TEST_F(BridgeRouteTest, WhileTheStoreRefusesTheLaneGoesOnAndQueuedQos0IsCounted) {
  attach(1, {{"lane", ""}, {"queue", "", 1, true}});
  Client& p = h.client("p", {.version = v5});
  h.turn([&] { h.broker().set_store_state({broker::StoreState::refusing, broker::StoreState::ready}); });
  p.publish("lane", "x");
  p.publish("queue", "x");
  p.publish("queue", "x", {.qos = 1, .id = 2});
  EXPECT_EQ(lane, "lane=x;");
  EXPECT_EQ(queued(1), "");
  EXPECT_EQ(p.got(), "puback #2 0x97");
  EXPECT_EQ(h.counters().refused_store, 2u);
}

}  // namespace
}  // namespace tidegate::test
