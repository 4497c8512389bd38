#include "gateway/net/pending_connects.h"

#include <gtest/gtest.h>

#include <map>

namespace tidegate::net {
namespace {

using Turn = PendingConnects::Turn;
constexpr Instant start{Millis{1'000'000}};
constexpr Millis patience{1000};

struct PendingConnectsTest : testing::Test {
  ConnId comes(const std::string& address, Millis after = {}) {
    ConnId id{static_cast<uint32_t>(turns.size()), 1};
    turns[id] = Turn::theirs;
    from[id] = PeerKey::of(address + ":4711");
    pending.add(id, start + after);
    return id;
  }
  [[nodiscard]] std::optional<ConnId> gives_way(Millis after = patience) {
    return pending.gives_way(patience, start + after);
  }
  std::map<ConnId, Turn> turns;
  std::map<ConnId, PeerKey> from;
  PendingConnects pending{{[this](ConnId id) { return turns.at(id); }, [this](ConnId id) { return from.at(id); }}};
};

TEST_F(PendingConnectsTest, TheFirstOneGivesWayOnceItHadItsTime) {
  ConnId first = comes("192.0.2.1");
  ConnId second = comes("192.0.2.2", Millis{10});
  EXPECT_EQ(gives_way(Millis{999}), std::nullopt);
  EXPECT_EQ(gives_way(Millis{5000}), first);
  turns[first] = Turn::through;
  EXPECT_EQ(gives_way(Millis{1009}), std::nullopt);
  EXPECT_EQ(gives_way(Millis{1010}), second);
}

TEST_F(PendingConnectsTest, WhoWaitsForUsGivesWayToNobody) {
  turns[comes("192.0.2.1")] = Turn::ours;
  EXPECT_EQ(gives_way(), std::nullopt);
  ConnId silent = comes("192.0.2.2");
  EXPECT_EQ(gives_way(), silent);
}

TEST_F(PendingConnectsTest, TheAddressWithMostOfThemGivesWay) {
  (void)comes("192.0.2.1");
  ConnId of_many = comes("192.0.2.2");
  (void)comes("192.0.2.2");
  EXPECT_EQ(gives_way(), of_many);
  turns[of_many] = Turn::ours;  // what they have beside silent ones is not held against them
  EXPECT_EQ(gives_way(), (ConnId{0, 1}));
}

TEST_F(PendingConnectsTest, WhoIsThroughIsForgotten) {
  for (int i = 0; i < 10'000; ++i) turns[comes("192.0.2.1")] = Turn::through;
  EXPECT_LE(pending.size(), 64u);
  for (int i = 0; i < 1000; ++i) (void)comes("192.0.2.1");
  EXPECT_GE(pending.size(), 1000u);
}

}  // namespace
}  // namespace tidegate::net
