// Topic rules: who may read and write what, by which rule.
#include "gateway/access/acl.h"

#include <gtest/gtest.h>

#include "gateway/access/acl_file.h"

namespace tidegate::access {
namespace {

const Identity anna{"anna", "c1"};
const Identity nobody{std::nullopt, "c2"};

std::shared_ptr<const Acl> acl_of(std::string_view file) {
  AclFile parsed = parse_acl_file(file, "acl");
  EXPECT_TRUE(parsed.problems.empty());
  return Acl::make(parsed.rules);
}

bool may(std::string_view file, const Identity& who, Action action, std::string_view topic) {
  auto acl = acl_of(file);
  Rights rights = acl->rights_of(who);
  bool allowed = rights.may(action, *TopicName::parse(topic));
  EXPECT_EQ(rights.may(action, *TopicName::parse(topic)), allowed);  // remembered
  return allowed;
}
bool reads(std::string_view file, const Identity& who, std::string_view topic) {
  return may(file, who, Action::read, topic);
}
bool writes(std::string_view file, const Identity& who, std::string_view topic) {
  return may(file, who, Action::write, topic);
}
bool subscribes(std::string_view file, const Identity& who, std::string_view filter) {
  return acl_of(file)->rights_of(who).may_subscribe(*TopicFilter::parse(filter));
}

TEST(Acl, RefusesWhatNoRuleAllows) {
  EXPECT_FALSE(reads("user anna\ntopic a", anna, "b"));
  EXPECT_FALSE(reads("user bert\ntopic a", anna, "a"));
}

TEST(Acl, EachWordAllowsWhatItSays) {
  EXPECT_TRUE(reads("user anna\ntopic read a", anna, "a"));
  EXPECT_FALSE(writes("user anna\ntopic read a", anna, "a"));
  EXPECT_FALSE(reads("user anna\ntopic write a", anna, "a"));
  EXPECT_TRUE(writes("user anna\ntopic write a", anna, "a"));
  for (const char* both : {"user anna\ntopic readwrite a", "user anna\ntopic a"}) {
    EXPECT_TRUE(reads(both, anna, "a") && writes(both, anna, "a")) << both;
  }
}

TEST(Acl, ADenialBeatsEveryPermissionWhateverTheOrder) {
  for (const char* file : {"user anna\ntopic a/#\ntopic deny a/secret", "user anna\ntopic deny a/secret\ntopic a/#",
                           "pattern deny a/secret\nuser anna\ntopic a/#"}) {
    EXPECT_FALSE(reads(file, anna, "a/secret")) << file;
    EXPECT_FALSE(writes(file, anna, "a/secret")) << file;
    EXPECT_TRUE(reads(file, anna, "a/open")) << file;
  }
}

TEST(Acl, LinesBeforeTheFirstUserAreForThoseWithoutAName) {
  EXPECT_TRUE(reads("topic open\nuser anna\ntopic a", nobody, "open"));
  EXPECT_FALSE(reads("topic open\nuser anna\ntopic a", anna, "open"));
  EXPECT_FALSE(reads("topic open\nuser anna\ntopic a", nobody, "a"));
}

TEST(Acl, PatternsAreForEverybodyWithTheirNamesFilledIn) {
  const char* file = "pattern write up/%u/%c\npattern read all";
  EXPECT_TRUE(writes(file, anna, "up/anna/c1"));
  EXPECT_FALSE(writes(file, anna, "up/bert/c1"));
  EXPECT_FALSE(writes(file, nobody, "up//c2"));
  EXPECT_TRUE(reads(file, nobody, "all"));
}

TEST(Acl, ANameWithAWildcardOpensNothing) {  // CVE-2017-7650
  EXPECT_FALSE(reads("pattern read up/%u/#", {"#", "c"}, "up/bert/x"));
  EXPECT_FALSE(reads("pattern read up/%u/#", {"+", "c"}, "up/bert/x"));
  EXPECT_FALSE(reads("pattern read up/%c", {"u", "+"}, "up/bert"));
}

TEST(Acl, AWildcardAtTheStartDoesNotCoverReservedTopics) {
  EXPECT_FALSE(reads("user anna\ntopic #", anna, "$SYS/broker/uptime"));
  EXPECT_TRUE(reads("user anna\ntopic $SYS/#", anna, "$SYS/broker/uptime"));
}

TEST(Acl, SaysByWhichRule) {
  auto acl = acl_of("user anna\ntopic read a/#\ntopic deny a/b");
  Rights rights = acl->rights_of(anna);
  EXPECT_EQ(rights.why(Action::read, *TopicName::parse("a/x")).by->place, "acl:2");
  EXPECT_EQ(rights.why(Action::write, *TopicName::parse("a/b")).by->place, "acl:3");
  EXPECT_EQ(rights.why(Action::write, *TopicName::parse("a/x")).by, nullptr);
}

TEST(Acl, RemembersManyTopicsWithoutMixingThemUp) {
  auto acl = acl_of("user anna\ntopic even/#");
  Rights rights = acl->rights_of(anna);
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100; ++i) {
      std::string topic = (i % 2 == 0 ? "even/" : "odd/") + std::to_string(i);
      EXPECT_EQ(rights.may(Action::read, *TopicName::parse(topic)), i % 2 == 0) << topic;
    }
  }
}

TEST(Acl, ASubscriptionIsRefusedWhereNothingOfItMayBeRead) {
  const char* file = "user anna\ntopic read a/+/c\ntopic write w/#\ntopic deny a/no/#";
  for (const char* filter : {"a/+/c", "a/b/c", "a/#", "#", "+/b/+"})
    EXPECT_TRUE(subscribes(file, anna, filter)) << filter;
  for (const char* filter : {"b", "a/b", "w/#", "a/no/c", "a/no/#", "$SYS/#", "+"})
    EXPECT_FALSE(subscribes(file, anna, filter)) << filter;
}

TEST(AclFile, ReadsMosquittosExample) {
  AclFile file = parse_acl_file(
      "# This affects access control for clients with no username.\n"
      "topic read $SYS/#\n"
      "\n"
      "# This only affects clients with username \"roger\".\r\n"
      "user roger\r\n"
      "topic foo/bar\r\n"
      "   topic  readwrite  with blanks/in it  \n"
      "pattern write $SYS/broker/connection/%c/state",
      "acl");
  ASSERT_TRUE(file.problems.empty());
  ASSERT_EQ(file.rules.size(), 4u);
  EXPECT_EQ(file.rules[0], (AclRule{AclRule::Who::anonymous, "", Permission::read, "$SYS/#", "acl:2"}));
  EXPECT_EQ(file.rules[1], (AclRule{AclRule::Who::user, "roger", Permission::readwrite, "foo/bar", "acl:6"}));
  EXPECT_EQ(file.rules[2].topic, "with blanks/in it");
  EXPECT_EQ(file.rules[3],
            (AclRule{AclRule::Who::everybody, "", Permission::write, "$SYS/broker/connection/%c/state", "acl:8"}));
}

TEST(AclFile, ATopicMayBeCalledLikeAPermission) {
  AclFile file = parse_acl_file("topic read\ntopic read read", "acl");
  ASSERT_EQ(file.rules.size(), 2u);
  EXPECT_EQ(file.rules[0].topic, "read");
  EXPECT_EQ(file.rules[0].permission, Permission::readwrite);
  EXPECT_EQ(file.rules[1].permission, Permission::read);
}

TEST(AclFile, NamesTheLineOfEveryMistake) {
  AclFile file = parse_acl_file("user\ntopik a\ntopic a/#/b\npattern %u/#x\ntopic", "acl");
  ASSERT_EQ(file.problems.size(), 5u);
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(file.problems[i].line, i + 1);
  EXPECT_EQ(file.problems[1].what, "expected \"user\", \"topic\" or \"pattern\", found \"topik\"");
  EXPECT_TRUE(file.rules.empty());
}

}  // namespace
}  // namespace tidegate::access
