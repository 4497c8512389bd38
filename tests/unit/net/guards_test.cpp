#include "gateway/net/guards.h"

#include <gtest/gtest.h>

namespace tidegate::net {
namespace {

constexpr Instant start{Millis{1'000'000}};
const PeerKey guesser = PeerKey::of("192.0.2.1:4711");
const PeerKey other = PeerKey::of("192.0.2.2:4711");

std::vector<AddressRange> ranges(const std::vector<std::string>& texts) {
  std::vector<AddressRange> out;
  for (const std::string& text : texts) out.push_back(AddressRange::parse(text).value());
  return out;
}

struct GuardsTest : testing::Test {
  bool welcome(std::string_view peer) { return !guards.refuses(admission, peer); }
  void fail_times(const PeerKey& from, int times, std::string_view user = "anna") {
    for (int i = 0; i < times; ++i) (void)guards.login_failed(from, user, start);
  }
  std::optional<Millis> delay(const PeerKey& from, std::string_view user = "anna") {
    auto wait = guards.login_delay(from, user, start);
    return wait ? std::optional(wait->delay) : std::nullopt;
  }
  Guards guards;
  Admission admission;
};

TEST_F(GuardsTest, EverybodyIsWelcomeAtFirst) {
  TokenBucket bucket;
  EXPECT_TRUE(welcome("192.0.2.1:4711"));
  EXPECT_TRUE(welcome("[2001:db8::1]:4711"));
  EXPECT_TRUE(welcome("unix:uid=1000,pid=4242"));
  EXPECT_FALSE(guards.refuses_one_more(bucket, start));
}

TEST_F(GuardsTest, AllowedAddressesAreTheOnlyOnes) {
  admission.allow = ranges({"192.0.2.0/24", "2001:db8::/32"});
  EXPECT_TRUE(welcome("192.0.2.77:4711"));
  EXPECT_TRUE(welcome("[2001:db8:7::1]:4711"));
  EXPECT_FALSE(welcome("192.0.3.1:4711"));
  EXPECT_FALSE(welcome("[2001:db9::1]:4711"));
  EXPECT_EQ(guards.counts().not_allowed, 2u);
}

TEST_F(GuardsTest, DeniedBeatsAllowed) {
  admission.allow = ranges({"192.0.2.0/24"});
  admission.deny = ranges({"192.0.2.128/25"});
  EXPECT_TRUE(welcome("192.0.2.127:1"));
  EXPECT_FALSE(welcome("192.0.2.128:1"));
  admission.allow.clear();
  EXPECT_TRUE(welcome("198.51.100.1:1"));
  EXPECT_FALSE(welcome("192.0.2.255:1"));
}

TEST_F(GuardsTest, OneAddressHasSoManyConnections) {
  admission.connections_per_address_max = 2;
  guards.opened(guesser);
  EXPECT_TRUE(welcome("192.0.2.1:1"));
  guards.opened(guesser);
  EXPECT_FALSE(welcome("192.0.2.1:2"));
  EXPECT_TRUE(welcome("192.0.2.2:2"));
  EXPECT_EQ(guards.counts().too_many, 1u);
  guards.closed(guesser);
  EXPECT_TRUE(welcome("192.0.2.1:3"));
}

TEST_F(GuardsTest, RateIsTheListenersAndThatOfAll) {
  guards.set_limits({.connect_rate = 1, .connect_burst = 3}, start);
  TokenBucket one, two;
  one.set(1, 2, start);
  two.set(1, 2, start);
  EXPECT_FALSE(guards.refuses_one_more(one, start));
  EXPECT_FALSE(guards.refuses_one_more(one, start));
  EXPECT_TRUE(guards.refuses_one_more(one, start));
  EXPECT_FALSE(guards.refuses_one_more(two, start));
  EXPECT_TRUE(guards.refuses_one_more(two, start));
  EXPECT_EQ(guards.counts().too_often, 2u);
}

TEST_F(GuardsTest, LoginsWaitAfterFailures) {
  EXPECT_EQ(delay(guesser), Millis{0});
  fail_times(guesser, 2);
  EXPECT_EQ(delay(guesser), Millis{200});
  EXPECT_EQ(delay(other), Millis{0});
  EXPECT_EQ(guards.counts().logins_failed, 2u);
  EXPECT_EQ(guards.counts().logins_delayed, 1u);
}

TEST_F(GuardsTest, TwoOfAnAddressMayWait) {
  fail_times(guesser, 5);
  EXPECT_TRUE(delay(guesser));
  EXPECT_TRUE(delay(guesser));
  EXPECT_FALSE(delay(guesser));
  EXPECT_EQ(guards.counts().logins_refused, 1u);
  guards.login_waited({guesser, "anna"});
  EXPECT_TRUE(delay(guesser));
}

// Three devices with a wrong password kept out all that came by the same NAT.
TEST_F(GuardsTest, ANeighbourOfTheSameAddressDoesNotWait) {
  for (const char* user : {"one", "two", "three"}) fail_times(guesser, 1000, user);
  EXPECT_EQ(delay(guesser, "one"), Millis{10'000});
  EXPECT_EQ(delay(guesser, "one"), Millis{10'000});
  EXPECT_EQ(delay(guesser, "one"), std::nullopt);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(delay(guesser, "neighbour" + std::to_string(i)), Millis{0});
  fail_times(guesser, 1, "neighbour");
  EXPECT_EQ(delay(guesser, "neighbour"), Millis{100});  // others of the address that wait take no place from it
}

TEST_F(GuardsTest, WhoTriesManyNamesWaitsWhateverTheName) {
  for (int i = 0; i < 10; ++i) fail_times(guesser, 2, "name" + std::to_string(i));
  EXPECT_EQ(delay(guesser), Millis{0});
  fail_times(guesser, 1, "name10");
  EXPECT_EQ(delay(guesser), Millis{100});
  fail_times(guesser, 1, "name11");
  EXPECT_EQ(delay(guesser), Millis{200});
  EXPECT_EQ(delay(guesser, "another"), std::nullopt);  // two wait
  EXPECT_EQ(delay(other), Millis{0});
}

TEST_F(GuardsTest, ThoseWhoWaitLeaveRoomForOthers) {
  guards.set_limits({.logins_waiting_max = 3}, start);
  for (int i = 1; i <= 3; ++i) {
    PeerKey from = PeerKey::of("198.51.100." + std::to_string(i));
    fail_times(from, 5);
    EXPECT_TRUE(delay(from));
  }
  fail_times(guesser, 5);
  EXPECT_FALSE(delay(guesser));
  EXPECT_EQ(delay(other), Millis{0});
}

TEST_F(GuardsTest, OffIsOff) {
  guards.set_limits({.login_delay_max = Millis{0}}, start);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(guards.login_failed(guesser, "anna", start));
  EXPECT_EQ(delay(guesser), Millis{0});
}

}  // namespace
}  // namespace tidegate::net
