#include "bridge/dial_plan.h"

#include <gtest/gtest.h>

namespace tidegate::bridge {
namespace {

LinkFailure failure(bool version_refused = false, bool closed_unanswered = false) {
  LinkFailure f;
  f.version_refused = version_refused;
  f.closed_unanswered = closed_unanswered;
  return f;
}

TEST(DialPlan, GoesThroughAddressesAndTheirIpAddressesInOrder) {
  DialPlan plan({{"a", 1}, {"b", 2}}, ProtocolVersion::v5);
  EXPECT_TRUE(plan.over());
  plan.begin_round();
  EXPECT_EQ(plan.address(), (Address{"a", 1}));
  plan.resolved({"1.1.1.1", "2.2.2.2"});
  EXPECT_EQ(plan.numeric(), "1.1.1.1");
  plan.connect_failed(failure());
  EXPECT_EQ(plan.numeric(), "2.2.2.2");
  plan.connect_failed(failure());
  EXPECT_EQ(plan.address(), (Address{"b", 2}));
  EXPECT_TRUE(plan.needs_lookup());
  plan.lookup_failed();
  EXPECT_TRUE(plan.over());
  plan.begin_round();
  EXPECT_EQ(plan.address(), (Address{"a", 1}));
}

TEST(DialPlan, FallsBackTo311WhereTheVersionWasRefusedAndStaysThere) {
  DialPlan plan({{"a", 1}}, ProtocolVersion::automatic);
  plan.begin_round();
  plan.resolved({"1.1.1.1"});
  EXPECT_EQ(plan.protocol(), 5);
  plan.connect_failed(failure(true));
  EXPECT_FALSE(plan.over());
  EXPECT_EQ(plan.protocol(), 4);
  plan.begin_round();
  EXPECT_EQ(plan.protocol(), 4);
}

TEST(DialPlan, TriesBothVersionsWhereNothingWasAnswered) {
  DialPlan plan({{"a", 1}}, ProtocolVersion::automatic);
  plan.begin_round();
  plan.resolved({"1.1.1.1"});
  plan.connect_failed(failure(false, true));
  EXPECT_EQ(plan.protocol(), 4);
  plan.connect_failed(failure(false, true));
  EXPECT_TRUE(plan.over());
  plan.begin_round();
  EXPECT_EQ(plan.protocol(), 5) << "silence proves nothing about the version";
}

TEST(DialPlan, AFixedVersionIsNeverLeft) {
  DialPlan five({{"a", 1}}, ProtocolVersion::v5), four({{"a", 1}}, ProtocolVersion::v311);
  for (DialPlan* plan : {&five, &four}) {
    plan->begin_round();
    plan->resolved({"1.1.1.1"});
    EXPECT_EQ(plan->protocol(), plan == &five ? 5 : 4);
    plan->connect_failed(failure(true));
    EXPECT_TRUE(plan->over());
  }
}

}  // namespace
}  // namespace tidegate::bridge
