#include "gateway/net/failed_logins.h"

#include <gtest/gtest.h>

namespace tidegate::net {
namespace {

constexpr Instant start{Millis{1'000'000}};
constexpr Millis delay_max{10'000};

const PeerKey guesser = PeerKey::of("192.0.2.1:4711");
const PeerKey other = PeerKey::of("192.0.2.2:4711");

void fail_times(FailedLogins& table, const PeerKey& from, int times, Instant now = start) {
  for (int i = 0; i < times; ++i) (void)table.failed(from, now);
}

TEST(FailedLogins, WaitTwiceAsLongEachTimeUpToTheLimit) {
  FailedLogins table(10);
  EXPECT_EQ(table.delay(guesser, delay_max, start), Millis{0});
  for (int64_t wanted : {100, 200, 400, 800, 1600, 3200, 6400, 10'000, 10'000}) {
    fail_times(table, guesser, 1);
    EXPECT_EQ(table.delay(guesser, delay_max, start), Millis{wanted});
  }
  fail_times(table, guesser, 1000);
  EXPECT_EQ(table.delay(guesser, delay_max, start), delay_max);
}

TEST(FailedLogins, WaitFromTheLastFailureOn) {
  FailedLogins table(10);
  fail_times(table, guesser, 3);
  EXPECT_EQ(table.delay(guesser, delay_max, start + Millis{150}), Millis{250});
  EXPECT_EQ(table.delay(guesser, delay_max, start + Millis{400}), Millis{0});
}

TEST(FailedLogins, TouchNoOtherAddress) {
  FailedLogins table(10);
  fail_times(table, guesser, 20);
  EXPECT_EQ(table.delay(other, delay_max, start), Millis{0});
}

TEST(FailedLogins, AreForgivenOneByOne) {
  FailedLogins table(10);
  fail_times(table, guesser, 4);
  EXPECT_EQ(table.failures(guesser, start + FailedLogins::forgiven_after), 3u);
  EXPECT_EQ(table.failures(guesser, start + FailedLogins::forgiven_after * 4), 0u);
  fail_times(table, guesser, 1, start + FailedLogins::forgiven_after * 3);
  EXPECT_EQ(table.failures(guesser, start + FailedLogins::forgiven_after * 3), 2u);
  fail_times(table, other, 100'000);
  EXPECT_EQ(table.failures(other, start + FailedLogins::forgiven_after * 30), 0u);
}

TEST(FailedLogins, AreToldOnceABurst) {
  FailedLogins table(10);
  EXPECT_FALSE(table.failed(guesser, start));
  EXPECT_FALSE(table.failed(guesser, start));
  EXPECT_TRUE(table.failed(guesser, start));
  EXPECT_FALSE(table.failed(guesser, start));
  Instant later = start + FailedLogins::forgiven_after * 10;
  fail_times(table, guesser, 2, later);
  EXPECT_TRUE(table.failed(guesser, later));
}

TEST(FailedLogins, TableForgetsTheOldestWhenFull) {
  FailedLogins table(2);
  fail_times(table, guesser, 1);
  fail_times(table, other, 1, start + Millis{1});
  fail_times(table, guesser, 1, start + Millis{2});
  fail_times(table, PeerKey::of("192.0.2.3"), 1, start + Millis{3});
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.failures(guesser, start + Millis{3}), 2u);
  EXPECT_EQ(table.failures(other, start + Millis{3}), 0u);
}

TEST(FailedLogins, OfNoAddressAreNotCounted) {
  FailedLogins table(2);
  fail_times(table, PeerKey::of("unix:uid=0,pid=1"), 10);
  EXPECT_EQ(table.size(), 0u);
}

TEST(PeerKey, IsAnAddressWithoutItsPort) {
  EXPECT_EQ(PeerKey::of("192.0.2.1:1883"), PeerKey::of("192.0.2.1"));
  EXPECT_NE(PeerKey::of("192.0.2.1:1883"), PeerKey::of("192.0.2.2:1883"));
  EXPECT_EQ(PeerKey::of("192.0.2.1:1883").text(), "192.0.2.1");
  EXPECT_FALSE(PeerKey::of("?"));
  EXPECT_FALSE(PeerKey::of(""));
}

TEST(PeerKey, OfIpv6IsItsNetwork) {
  EXPECT_EQ(PeerKey::of("[2001:db8::1]:1883"), PeerKey::of("2001:db8::ffff"));
  EXPECT_NE(PeerKey::of("[2001:db8::1]:1883"), PeerKey::of("[2001:db8:0:1::1]:1883"));
  EXPECT_EQ(PeerKey::of("[2001:db8::1]:1883").text(), "2001:db8::/64");
  EXPECT_EQ(PeerKey::of("fe80::1%eth0"), PeerKey::of("[fe80::2]:9"));
}

}  // namespace
}  // namespace tidegate::net
