#include "bridge/topic_map.h"

#include <gtest/gtest.h>

namespace tidegate::bridge {
namespace {

TopicName name(std::string_view text) {
  return *TopicName::parse(text);
}
TopicMap map_of(const std::vector<Rule>& rules) {
  auto map = TopicMap::make(rules);
  EXPECT_TRUE(map) << (map ? "" : map.error().context);
  return std::move(*map);
}
std::string out(const TopicMap& map, std::string_view topic) {
  auto target = map.map_out(name(topic), Qos::at_least_once, false);
  return target ? target->topic : "-";
}
std::string in(const TopicMap& map, std::string_view topic) {
  auto target = map.map_in(topic);
  return target ? target->topic : "-";
}

TEST(TopicMap, ReplacesTheLocalPrefixByTheRemoteOneAndBack) {
  TopicMap map = map_of(
      {{.topic = "reports/#", .direction = Direction::both, .local_prefix = "line3/", .remote_prefix = "plants/7/"}});
  EXPECT_EQ(out(map, "line3/reports/a"), "plants/7/reports/a");
  EXPECT_EQ(in(map, "plants/7/reports/a/b"), "line3/reports/a/b");
  EXPECT_EQ(out(map, "reports/a"), "-");
  EXPECT_EQ(in(map, "line3/reports/a"), "-");
  ASSERT_EQ(map.local_filters().size(), 1u);
  EXPECT_EQ(map.local_filters()[0].filter.text(), "line3/reports/#");
  ASSERT_EQ(map.remote_filters().size(), 1u);
  EXPECT_EQ(map.remote_filters()[0], (RemoteFilter{"plants/7/reports/#", Qos::at_least_once, true}));
}

TEST(TopicMap, AnEmptyTopicMapsTheTwoPrefixesOntoEachOther) {
  TopicMap map = map_of({{.topic = "", .direction = Direction::out, .local_prefix = "a/b", .remote_prefix = "x"}});
  EXPECT_EQ(out(map, "a/b"), "x");
  EXPECT_EQ(out(map, "a/b/c"), "-");
}

TEST(TopicMap, TheParentOfAHashFollowsItsPrefix) {
  TopicMap map = map_of({{.topic = "#", .direction = Direction::out, .local_prefix = "a/", .remote_prefix = "b/"}});
  EXPECT_EQ(out(map, "a"), "b");
  EXPECT_EQ(out(map, "a/c"), "b/c");
}

TEST(TopicMap, TheFirstRuleThatMatchesSendsItOnce) {
  TopicMap map = map_of({{.topic = "a/+", .direction = Direction::out, .remote_prefix = "one/"},
                         {.topic = "#", .direction = Direction::out, .remote_prefix = "two/"}});
  EXPECT_EQ(out(map, "a/b"), "one/a/b");
  EXPECT_TRUE(map.map_out(0, name("a/b"), Qos::at_least_once, false));
  EXPECT_FALSE(map.map_out(1, name("a/b"), Qos::at_least_once, false));
  EXPECT_TRUE(map.map_out(1, name("c"), Qos::at_least_once, false));
}

TEST(TopicMap, MessagesLeaveAtTheLowerQos) {
  Rule rule{.topic = "#", .direction = Direction::out, .qos = Qos::at_least_once};
  EXPECT_EQ(map_out(rule, name("a"), Qos::exactly_once, false)->qos, Qos::at_least_once);
  EXPECT_FALSE(map_out(rule, name("a"), Qos::at_most_once, false)->durable);
  rule.queue_qos0 = true;
  EXPECT_EQ(map_out(rule, name("a"), Qos::at_most_once, false)->qos, Qos::at_least_once);
  EXPECT_TRUE(map_out(rule, name("a"), Qos::at_most_once, false)->durable);
  rule.qos = Qos::at_most_once;
  EXPECT_EQ(map_out(rule, name("a"), Qos::exactly_once, false)->qos, Qos::at_most_once);
  EXPECT_TRUE(map_out(rule, name("a"), Qos::exactly_once, false)->durable);
}

TEST(TopicMap, RetainIsKeptOrCleared) {
  Rule rule{.topic = "#", .direction = Direction::out};
  EXPECT_TRUE(map_out(rule, name("a"), Qos::at_least_once, true)->retain);
  rule.retain = RetainPolicy::clear;
  EXPECT_FALSE(map_out(rule, name("a"), Qos::at_least_once, true)->retain);
}

TEST(TopicMap, WildcardsDoNotTakeReservedTopics) {
  TopicMap map = map_of({{.topic = "#", .direction = Direction::out}});
  EXPECT_EQ(out(map, "$SYS/broker/uptime"), "-");
}

TEST(TopicMap, EqualRemoteFiltersAreSubscribedOnceWithTheHighestQos) {
  TopicMap map =
      map_of({{.topic = "a", .direction = Direction::in, .qos = Qos::at_most_once, .local_prefix = "x/"},
              {.topic = "a", .direction = Direction::both, .qos = Qos::at_least_once, .local_prefix = "y/"}});
  ASSERT_EQ(map.remote_filters().size(), 1u);
  EXPECT_EQ(map.remote_filters()[0], (RemoteFilter{"a", Qos::at_least_once, false}));
}

TEST(TopicMap, BadRulesAreNamedByNumber) {
  EXPECT_FALSE(TopicMap::make({{.topic = "a/#/b"}}));
  EXPECT_FALSE(TopicMap::make({{.topic = "a", .local_prefix = "+/"}}));
  EXPECT_FALSE(TopicMap::make({{.topic = "", .local_prefix = "a"}}));
  auto second = TopicMap::make({{.topic = "a"}, {.topic = "a+"}});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().context.find("rule 2"), std::string::npos);
}

}  // namespace
}  // namespace tidegate::bridge
