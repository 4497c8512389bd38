// Topic rules at every place where they are asked: publish, will, subscribe, delivery, retained, from disk.
#include <gtest/gtest.h>

#include "gateway/access/acl_file.h"
#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

struct AuthorizeTest : testing::Test {
  AuthorizeTest() {
    h.restored_state = [this] { apply(); };
    rules(
        "user anna\ntopic read a/#\ntopic write up/#\ntopic deny a/secret\n"
        "user boss\ntopic #\npattern read for/%c");
  }
  void rules(std::string_view file) {
    auto parsed = access::parse_acl_file(file, "acl");
    ASSERT_TRUE(parsed.problems.empty());
    acl = access::Acl::make(parsed.rules);
    h.turn([this] { apply(); });
  }
  void apply() { h.broker().set_acl(acl); }

  Client& anna(mqtt::Version version = v4, bool clean = true) {
    return h.client("c-anna", {.version = version,
                               .clean = clean,
                               .username = "anna",
                               .password = "x",
                               .properties = version == v5 && !clean ? session_expiry(forever) : ""});
  }
  Client& boss() { return h.client("c-boss", {.username = "boss", .password = "x"}); }

  BrokerHarness h;
  std::shared_ptr<const access::Acl> acl;
};

TEST_F(AuthorizeTest, APublishThatNoRuleAllowsReachesNobodyAndIsAnswered) {  // [MQTT-3.3.5-2 of 3.1.1]
  Client& all = boss();
  all.subscribe("#", 1);
  (void)all.got();
  Client& old = anna();
  old.publish("a/t", "x", {.qos = 1, .id = 1});
  old.publish("up/t", "y", {.qos = 1, .id = 2});
  EXPECT_EQ(old.got(), "puback #1, puback #2");  // before 5.0 there is no word for no
  EXPECT_EQ(all.got(), "publish up/t=y q1 #1");
  Client& modern = h.client("c-anna5", {.version = v5, .username = "anna", .password = "x"});
  modern.publish("a/t", "x", {.qos = 1, .id = 1});
  modern.publish("a/t", "x", {.qos = 2, .id = 2});
  EXPECT_EQ(modern.got(), "puback #1 0x87, pubrec #2 0x87");
  EXPECT_EQ(h.counters().dropped_not_allowed, 3u);
}

TEST_F(AuthorizeTest, ASubscriptionToNothingReadableIsRefused) {
  Client& old = anna();
  old.subscribe("b/#", 1);
  EXPECT_EQ(old.got(), "suback #1 80");
  Client& modern = h.client("c5", {.version = v5, .username = "anna", .password = "x"});
  modern.subscribe("a/secret", 1);
  EXPECT_EQ(modern.got(), "suback #1 87");
  modern.subscribe("#", 1);
  EXPECT_EQ(modern.got(), "suback #1 01");
}

TEST_F(AuthorizeTest, EachDeliveryIsLookedAt) {
  Client& a = anna();
  a.subscribe("#", 1);
  (void)a.got();
  Client& b = boss();
  for (const char* topic : {"a/open", "a/secret", "b"}) b.publish(topic, "x", {.qos = 1});
  EXPECT_EQ(a.got(), "publish a/open=x q1 #1");
  EXPECT_EQ(h.counters().dropped_not_allowed, 2u);
}

TEST_F(AuthorizeTest, AMessageForAGroupGoesToAMemberWhoMayReadIt) {
  Client &a = anna(), &b = boss();
  for (Client* member : {&a, &b}) {
    member->subscribe("$share/g/#", 1);
    (void)member->got();
  }
  Client& sender = h.client("sender", {.username = "boss"});
  for (int i = 0; i < 3; ++i) sender.publish("b", "x", {.qos = 1});
  EXPECT_EQ(a.got(), "");
  EXPECT_EQ(b.got(), "publish b=x q1 #1, publish b=x q1 #2, publish b=x q1 #3");
}

TEST_F(AuthorizeTest, RetainedMessagesAreLookedAt) {
  Client& b = boss();
  for (const char* topic : {"a/open", "a/secret"}) b.publish(topic, "x", {.qos = 1, .retain = true});
  Client& a = anna();
  a.subscribe("#", 0);
  EXPECT_EQ(a.got(), "suback #1 00, publish a/open=x retain");
}

TEST_F(AuthorizeTest, AWillThatItMayNotPublishIsRefusedAtConnect) {
  Client& old = h.newcomer("c-anna");
  old.connect({.will = WillOptions{.topic = "a/will"}, .username = "anna", .password = "x"});
  EXPECT_EQ(old.got(), "connack 5, closed");
  Client& fine = h.newcomer("c-anna");
  fine.connect({.will = WillOptions{.topic = "up/will"}, .username = "anna", .password = "x"});
  EXPECT_EQ(fine.got(), "connack 0");
}

TEST_F(AuthorizeTest, AWillIsLookedAtAgainWhenItFires) {
  Client& all = boss();
  all.subscribe("up/#", 0);
  (void)all.got();
  Client& a = h.client("c-anna", {.will = WillOptions{.topic = "up/will"}, .username = "anna", .password = "x"});
  rules("user boss\ntopic #");
  a.lose();
  EXPECT_EQ(all.got(), "");
  EXPECT_EQ(h.counters().dropped_not_allowed, 1u);
}

TEST_F(AuthorizeTest, NewRulesHoldForThoseWhoAreConnected) {
  Client& a = anna();
  a.subscribe("a/#", 0);
  (void)a.got();
  rules("user anna\ntopic a/secret\nuser boss\ntopic #");
  Client& b = boss();
  b.publish("a/open", "x");
  b.publish("a/secret", "y");
  EXPECT_EQ(a.got(), "publish a/secret=y");
}

TEST_F(AuthorizeTest, WhatWaitsOnDiskIsLookedAtBeforeItIsSent) {
  anna(v4, false).subscribe("a/#", 1);
  h.crash();
  Client& b = boss();
  for (const char* topic : {"a/1", "a/secret", "a/2"}) b.publish(topic, "x", {.qos = 1});
  Client& a = h.newcomer("c-anna");
  a.connect({.clean = false, .username = "anna", .password = "x"});
  EXPECT_EQ(a.got(), "connack 0 present, publish a/1=x q1 #1, publish a/2=x q1 #2");
  EXPECT_EQ(h.counters().dropped_not_allowed, 1u);
  a.puback(1);
  a.puback(2);
  EXPECT_EQ(h.records_on_disk(), 0u);
}

TEST_F(AuthorizeTest, PatternsGoByTheClientsOwnId) {
  Client& b = boss();
  Client& guest = h.client("guest");
  guest.subscribe("for/+", 0);
  (void)guest.got();
  b.publish("for/guest", "x");
  b.publish("for/other", "x");
  EXPECT_EQ(guest.got(), "publish for/guest=x");
}

TEST_F(AuthorizeTest, WithoutRulesEverybodyMayDoEverything) {
  acl = nullptr;
  h.turn([this] { apply(); });
  Client& a = anna();
  a.subscribe("#", 0);
  a.publish("anything", "x");
  EXPECT_EQ(a.got(), "suback #1 00, publish anything=x");
}

}  // namespace
}  // namespace tidegate::test
