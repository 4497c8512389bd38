#include "gateway/status/sys_tree.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace tidegate::status {
namespace {

BridgeFacts a_bridge() {
  return {"cloud", "waiting", 3, 120, Seconds{70}, 12, {{"queue_full", 4}, {"expired", 1}}, "tcp: refused"};
}

TEST(SysTopics, PageIsWhatTheCodeSays) {
  std::string printed = sys_markdown();
  if (const char* path = std::getenv("TIDEGATE_WRITE_SYS_TOPICS")) std::ofstream(path) << printed;
  std::ifstream in(std::string(TIDEGATE_SOURCE_FOLDER) + "/gateway/status/SYS-TOPICS.md");
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_TRUE(text.str() == printed) << "print it anew: the page says how";
}

TEST(SysTopics, EachHasOneValueAndAMeaning) {
  std::map<std::string, int> seen;
  for (const SysTopic& topic : sys_topics()) {
    EXPECT_EQ(++seen[topic.name], 1) << topic.name;
    EXPECT_FALSE(topic.meaning.empty()) << topic.name;
    EXPECT_EQ((topic.value ? 1 : 0) + (topic.value_of_bridge ? 1 : 0) + (topic.value_of_cause ? 1 : 0), 1);
  }
}

TEST(SysTopics, AreThereFromTheStart) {
  TopicValues values = sys_values({});
  EXPECT_EQ(values.at("$SYS/broker/clients/connected"), "0");
  EXPECT_EQ(values.at("$SYS/broker/uptime"), "0 seconds");
  EXPECT_EQ(values.at("$SYS/broker/load/messages/received/15min"), "0.00");
  EXPECT_EQ(values.at("$SYS/broker/version"), "tidegate version ");
}

TEST(SysTopics, SayWhatIsCounted) {
  SysFacts facts;
  facts.sessions = 5;
  facts.counters.connections_now = 3;
  facts.retained_messages = 10;
  facts.holdings.queued_messages = 7;
  facts.bridges = {a_bridge()};
  TopicValues values = sys_values(facts);
  EXPECT_EQ(values.at("$SYS/broker/clients/disconnected"), "2");
  EXPECT_EQ(values.at("$SYS/broker/store/messages/count"), "20");
  EXPECT_EQ(values.at("$SYS/broker/messages/stored"), "20");
}

TEST(SysTopics, DroppedIsTheSumOfItsCauses) {
  SysFacts facts;
  facts.counters.dropped_queue_full = 1;
  facts.counters.dropped_slow_connection = 2;
  facts.counters.dropped_expired = 4;
  facts.counters.dropped_not_allowed = 8;
  facts.counters.dropped_too_large = 16;
  facts.counters.dropped_bridge_topic = 32;
  facts.inbound_dropped = 64;
  EXPECT_EQ(dropped(facts), 127u);
  uint64_t sum = 0;
  std::string total = "$SYS/broker/publish/messages/dropped";
  TopicValues values = sys_values(facts);
  for (const auto& [topic, value] : values) {
    if (topic.starts_with(total + "/")) sum += std::stoull(value);
  }
  EXPECT_EQ(values.at(total), "127");
  EXPECT_EQ(sum, 127u);
}

TEST(SysTopics, BridgesHaveTheirOwn) {
  SysFacts facts;
  facts.bridges = {a_bridge()};
  TopicValues values = sys_values(facts);
  EXPECT_EQ(values.at("$SYS/broker/bridge/cloud/state"), "waiting");
  EXPECT_EQ(values.at("$SYS/broker/bridge/cloud/queue/oldest_age"), "70");
  EXPECT_EQ(values.at("$SYS/broker/bridge/cloud/dropped"), "5");
  EXPECT_EQ(values.at("$SYS/broker/bridge/cloud/dropped/expired"), "1");
  EXPECT_EQ(values.at("$SYS/broker/bridge/cloud/last_error"), "tcp: refused");
}

TEST(SysTopics, OnlyWhatChangedIsPublishedAgain) {
  TopicValues before = sys_values({}), after = before;
  after["$SYS/broker/clients/connected"] = "1";
  EXPECT_EQ(differences(before, after), (TopicValues{{"$SYS/broker/clients/connected", "1"}}));
  EXPECT_EQ(differences(before, before), TopicValues{});
  EXPECT_EQ(differences({}, before), before);
}

TEST(SysTopics, OfARemovedBridgeAreTakenBack) {
  SysFacts facts;
  facts.bridges = {a_bridge()};
  TopicValues changes = differences(sys_values(facts), sys_values({}));
  EXPECT_EQ(changes.at("$SYS/broker/bridge/cloud/state"), "");
}

TEST(SysTopics, LoadsFollowTheTotals) {
  SysFacts facts;
  facts.counters.packets_received = 100;
  facts.sockets_opened = 10;
  update(facts.loads, facts, Seconds{60});
  TopicValues values = sys_values(facts);
  EXPECT_EQ(values.at("$SYS/broker/load/messages/received/1min"), "63.21");
  EXPECT_EQ(values.at("$SYS/broker/load/sockets/1min"), "6.32");
  EXPECT_EQ(values.at("$SYS/broker/load/messages/sent/1min"), "0.00");
}

}  // namespace
}  // namespace tidegate::status
