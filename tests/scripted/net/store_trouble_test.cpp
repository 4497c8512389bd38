// While the disk fails or stands still, what waits for it in memory stays bounded, and who needs no disk is served
// (invariants 4 and 8).
#include <gtest/gtest.h>

#include <deque>

#include "tests/scripted/net/rig.h"

namespace tidegate::net {
namespace {

constexpr uint64_t pending_max = 1u << 20;
const std::string large_will(60'000, 'w');

struct StoreTrouble : testing::Test {
  // Kept sessions with large wills come until more waits for the disk than may; none of them is answered.
  void fill_memory() {
    while (rig.pending_bytes() <= pending_max) {
      uint64_t before = rig.pending_bytes();
      come();
      ASSERT_TRUE(wait_until([&] { return rig.pending_bytes() > before; }));
    }
    accepted = peers.size();
  }
  Peer& come() {
    peers.emplace_back(rig.port()).connect("c" + std::to_string(peers.size()), false, large_will);
    return peers.back();
  }
  void expect_clean_sessions_served() {
    Peer clean(rig.port());
    clean.connect("clean", true);
    EXPECT_EQ(clean.next(), "connack 0");
    clean.subscribe("t", 1);
    EXPECT_EQ(clean.next(), "suback #1 00");
  }
  Peer& kept_client() {
    Peer& kept = peers.emplace_back(rig.port());
    kept.connect("kept", false);
    EXPECT_EQ(kept.next(), "connack 0");
    return kept;
  }

  Rig rig{{}, pending_max};
  std::deque<Peer> peers;
  size_t accepted = 0;
};

TEST_F(StoreTrouble, AFailingDiskRefusesAloudWhatWouldWaitInMemory) {
  Peer& kept = kept_client();
  rig.disk().fail_next(1u << 30, ErrorCode::no_space);
  fill_memory();
  for (int i = 0; i < 50; ++i) ASSERT_EQ(come().next(), "connack 3");
  for (uint16_t id = 1; id <= 50; ++id) {
    kept.subscribe("t" + std::to_string(id), id);
    ASSERT_EQ(kept.next(), "suback #" + std::to_string(id) + " 80");
  }
  EXPECT_LT(rig.pending_bytes(), pending_max + 2 * large_will.size());
  expect_clean_sessions_served();

  rig.disk().fail_next(0, ErrorCode::io);
  for (size_t i = 1; i < accepted; ++i) EXPECT_EQ(peers[i].next(), "connack 0");
  ASSERT_TRUE(wait_until([&] { return rig.pending_bytes() == 0; }));
  EXPECT_EQ(come().next(), "connack 0");
  kept.subscribe("t", 7);
  EXPECT_EQ(kept.next(), "suback #7 00");
}

TEST_F(StoreTrouble, ADiskThatStandsStillHoldsWhatWouldWaitInMemory) {
  Peer& kept = kept_client();
  rig.disk().close();
  fill_memory();
  for (int i = 0; i < 50; ++i) come();
  kept.subscribe("t", 1);
  EXPECT_EQ(kept.next(Millis{200}), "");
  EXPECT_LT(rig.pending_bytes(), pending_max + 2 * large_will.size());
  expect_clean_sessions_served();

  rig.disk().open();
  for (size_t i = 1; i < peers.size(); ++i) EXPECT_EQ(peers[i].next(), "connack 0");
  EXPECT_EQ(kept.next(), "suback #1 00");
}

}  // namespace
}  // namespace tidegate::net
