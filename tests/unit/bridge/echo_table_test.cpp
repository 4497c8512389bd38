#include "bridge/echo_table.h"

#include <gtest/gtest.h>

namespace tidegate::bridge {
namespace {

Instant at(int64_t ms) {
  return Instant{Millis{ms}};
}

TEST(EchoTable, TakesEachOwnMessageOnce) {
  EchoTable table;
  table.sent("t", "p", at(0));
  table.sent("t", "p", at(0));
  EXPECT_TRUE(table.take("t", "p", at(1)));
  EXPECT_TRUE(table.take("t", "p", at(1)));
  EXPECT_FALSE(table.take("t", "p", at(1)));
}

TEST(EchoTable, LeavesForeignMessagesAlone) {
  EchoTable table;
  table.sent("t", "p", at(0));
  EXPECT_FALSE(table.take("t", "q", at(1)));
  EXPECT_FALSE(table.take("u", "p", at(1)));
}

TEST(EchoTable, ForgetsAfterItsTime) {
  EchoTable table;
  table.sent("t", "p", at(0));
  EXPECT_FALSE(table.take("t", "p", at(EchoTable::age_max.count())));
  EXPECT_EQ(table.size(), 0u);
}

TEST(EchoTable, IsBounded) {
  EchoTable table;
  for (size_t i = 0; i < EchoTable::entries_max + 10; ++i) table.sent("t", std::to_string(i), at(0));
  EXPECT_EQ(table.size(), EchoTable::entries_max);
  EXPECT_FALSE(table.take("t", "9", at(1)));
  EXPECT_TRUE(table.take("t", "10", at(1)));
}

TEST(EchoTable, AnUsedEntryIsNotDroppedTwice) {
  EchoTable table;
  table.sent("t", "p", at(0));
  EXPECT_TRUE(table.take("t", "p", at(1)));
  table.sent("t", "p", at(5000));
  table.sent("x", "y", at(EchoTable::age_max.count()));  // forgets the first entry
  EXPECT_TRUE(table.take("t", "p", at(EchoTable::age_max.count())));
}

}  // namespace
}  // namespace tidegate::bridge
