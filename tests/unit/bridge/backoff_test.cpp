#include "bridge/backoff.h"

#include <gtest/gtest.h>

namespace tidegate::bridge {
namespace {

uint64_t highest(uint64_t n) {
  return n - 1;
}
uint64_t lowest(uint64_t) {
  return 0;
}

TEST(Backoff, GrowsUpToThreefoldAndStopsAtTheCap) {
  Backoff b({.base = Millis{1000}, .cap = Millis{10'000}, .stable_after = Millis{30'000}}, highest);
  EXPECT_EQ(b.next(), Millis{1000});
  EXPECT_EQ(b.next(), Millis{3000});
  EXPECT_EQ(b.next(), Millis{9000});
  EXPECT_EQ(b.next(), Millis{10'000});
  EXPECT_EQ(b.next(), Millis{10'000});
}

TEST(Backoff, NeverWaitsLessThanTheBase) {
  Backoff b({.base = Millis{1000}, .cap = Millis{10'000}, .stable_after = Millis{30'000}}, lowest);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(b.next(), Millis{1000});
}

TEST(Backoff, AShortConnectionDoesNotResetIt) {
  Backoff b({.base = Millis{1000}, .cap = Millis{60'000}, .stable_after = Millis{30'000}}, highest);
  (void)b.next();
  (void)b.next();
  b.connection_ended(Millis{100}, true);
  EXPECT_EQ(b.next(), Millis{9000});
}

TEST(Backoff, ALongConnectionWithoutAcknowledgementsDoesNotResetIt) {
  Backoff b({.base = Millis{1000}, .cap = Millis{60'000}, .stable_after = Millis{30'000}}, highest);
  (void)b.next();
  b.connection_ended(Millis{60'000}, false);
  EXPECT_EQ(b.next(), Millis{3000});
}

TEST(Backoff, AStableConnectionResetsIt) {
  Backoff b({.base = Millis{1000}, .cap = Millis{60'000}, .stable_after = Millis{30'000}}, highest);
  (void)b.next();
  (void)b.next();
  b.connection_ended(Millis{30'000}, true);
  EXPECT_EQ(b.next(), Millis{1000});
}

TEST(Backoff, ACapBelowTheBaseIsTheBase) {
  Backoff b({.base = Millis{5000}, .cap = Millis{1000}, .stable_after = Millis{1}}, highest);
  EXPECT_EQ(b.next(), Millis{5000});
  EXPECT_EQ(b.next(), Millis{5000});
}

}  // namespace
}  // namespace tidegate::bridge
