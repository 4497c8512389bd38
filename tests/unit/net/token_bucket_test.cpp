#include "gateway/net/token_bucket.h"

#include <gtest/gtest.h>

namespace tidegate::net {
namespace {

constexpr Instant start{Millis{1'000'000}};

int taken(TokenBucket& bucket, Instant now, int tries = 100) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += bucket.take(now) ? 1 : 0;
  return count;
}

TEST(TokenBucket, GivesABurstAndThenTheRate) {
  TokenBucket bucket;
  bucket.set(10, 5, start);
  EXPECT_EQ(taken(bucket, start), 5);
  EXPECT_EQ(taken(bucket, start + Millis{99}), 0);
  EXPECT_EQ(taken(bucket, start + Millis{100}), 1);
  EXPECT_EQ(taken(bucket, start + Millis{400}), 3);
}

TEST(TokenBucket, FillsToTheBurstAndNoFurther) {
  TokenBucket bucket;
  bucket.set(10, 5, start);
  EXPECT_EQ(taken(bucket, start), 5);
  EXPECT_EQ(taken(bucket, start + Seconds{1'000'000'000}), 5);
}

TEST(TokenBucket, LosesNoPartOfATokenToManyTries) {
  TokenBucket bucket;
  bucket.set(3, 1, start);
  EXPECT_EQ(taken(bucket, start), 1);
  int count = 0;
  for (int ms = 1; ms <= 1000; ++ms) count += bucket.take(start + Millis{ms}) ? 1 : 0;
  EXPECT_EQ(count, 2);  // a token is whole after 334 ms, and one is all that it holds
  EXPECT_TRUE(bucket.take(start + Millis{1002}));
}

TEST(TokenBucket, UnlimitedIsUnlimited) {
  TokenBucket bucket;
  EXPECT_EQ(taken(bucket, start, 1000), 1000);
  bucket.set(UINT32_MAX, 1, start);
  EXPECT_EQ(taken(bucket, start, 1000), 1000);
}

TEST(TokenBucket, AChangeKeepsWhatIsLeft) {
  TokenBucket bucket;
  bucket.set(10, 5, start);
  EXPECT_EQ(taken(bucket, start, 3), 3);
  bucket.set(10, 100, start);
  EXPECT_EQ(taken(bucket, start), 2);
  bucket.set(1000, 1, start + Seconds{9});
  EXPECT_EQ(taken(bucket, start + Seconds{9}), 1);
}

TEST(TokenBucket, TimeThatStandsStillGivesNothing) {
  TokenBucket bucket;
  bucket.set(10, 1, start);
  EXPECT_EQ(taken(bucket, start), 1);
  EXPECT_EQ(taken(bucket, start - Seconds{10}), 0);
}

}  // namespace
}  // namespace tidegate::net
