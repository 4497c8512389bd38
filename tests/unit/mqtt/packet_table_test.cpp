// The table of raw packets against the codec: each row in each version for which its verdict holds.
#include <random>
#include <set>

#include "tests/support/packets.h"
#include "tests/unit/mqtt/codec_helpers.h"

namespace tidegate::mqtt {
namespace {

using test::all_packets;
using test::bytes_of;
using test::RawPacket;
using test::Verdict;

// Calls `f` with each row that `pick` chooses, its bytes, and each version in which it holds.
template <class Pick, class F>
void for_each_row(Pick pick, F f) {
  for (const RawPacket& row : all_packets()) {
    if (!pick(row)) continue;
    for (Version version : kVersions) {
      if (!holds_in(row, version)) continue;
      SCOPED_TRACE(testing::Message() << row.name << ", version " << static_cast<int>(version));
      f(row, bytes_of(row.hex), version);
    }
  }
}

bool is_good(const RawPacket& row) {
  return row.verdict != Verdict::refused;
}

TEST(PacketTable, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const RawPacket& row : all_packets()) EXPECT_TRUE(names.insert(row.name).second) << row.name;
}

TEST(PacketTable, EveryRowIsOneFrame) {
  for_each_row([](auto&) { return true; },
               [](const RawPacket&, const std::string& bytes, Version) {
                 Frame f = frame(bytes, bytes.size());
                 ASSERT_EQ(f.state, Frame::State::complete);
                 EXPECT_EQ(f.size, bytes.size());
               });
}

TEST(PacketTable, GoodPacketsDecode) {
  for_each_row(is_good, [](const RawPacket&, const std::string& bytes, Version version) {
    auto packet = decode_any(frame(bytes, kNoLimit), version);
    ASSERT_TRUE(packet) << packet.error().what;
    if (auto* connect = std::get_if<Connect>(&*packet)) {
      EXPECT_EQ(connect->version, version);
    }
  });
}

TEST(PacketTable, RefusedPacketsNameTheirReasonAndClause) {
  for_each_row([](auto& row) { return !is_good(row); },
               [](const RawPacket& row, const std::string& bytes, Version version) {
                 auto packet = decode_any(frame(bytes, kNoLimit), version);
                 ASSERT_FALSE(packet);
                 EXPECT_EQ(name(packet.error().reason), name(row.reason));
                 EXPECT_NE(packet.error().what.find(row.clause), std::string_view::npos) << packet.error().what;
               });
}

TEST(PacketTable, CanonicalPacketsEncodeBackToTheirBytes) {
  for_each_row(is_good, [](const RawPacket& row, const std::string& bytes, Version version) {
    auto packet = decode_any(frame(bytes, kNoLimit), version);
    ASSERT_TRUE(packet);
    EXPECT_EQ(encode_any(*packet, version) == bytes, row.verdict == Verdict::canonical);
  });
}

TEST(PacketTable, CanonicalPacketsOfEveryTypeStandInEveryVersion) {
  for (Version version : kVersions) {
    std::set<PacketType> seen;
    for (const RawPacket& row : all_packets())
      if (row.verdict == Verdict::canonical && holds_in(row, version))
        seen.insert(type_of(static_cast<uint8_t>(bytes_of(row.hex)[0])));
    EXPECT_EQ(seen.size(), version == Version::v5 ? 15u : 14u);
  }
}

TEST(PacketTable, EveryProperPrefixIsIncomplete) {
  for_each_row(is_good, [](const RawPacket&, const std::string& bytes, Version) {
    for (size_t n = 0; n < bytes.size(); ++n)
      EXPECT_EQ(frame(std::string_view(bytes).substr(0, n), kNoLimit).state, Frame::State::incomplete) << n;
  });
}

// A body cut anywhere and framed again: a reason, or a packet that encodes and decodes to itself.
TEST(PacketTable, EveryCutBodyIsAPacketOrAReason) {
  for_each_row(is_good, [](const RawPacket&, const std::string& bytes, Version version) {
    Frame whole = frame(bytes, kNoLimit);
    for (size_t n = 0; n < whole.body.size(); ++n) {
      std::string cut = framed(whole.first, whole.body.substr(0, n));
      auto packet = decode_any(frame(cut, kNoLimit), version);
      if (!packet) {
        EXPECT_TRUE(is_error(packet.error().reason));
        continue;
      }
      std::string once = encode_any(*packet, version);
      auto again = decode_any(frame(once, kNoLimit), version);
      ASSERT_TRUE(again) << again.error().what;
      EXPECT_EQ(encode_any(*again, version), once);
    }
  });
}

// Fixed seed: the same mutants on every run. Whatever still decodes must survive its own encoding.
TEST(PacketTable, MutatedPacketsAreAPacketOrAReason) {
  std::mt19937 random(20260101);
  auto below = [&random](size_t n) { return static_cast<size_t>(random() % n); };
  size_t decoded_count = 0, refused_count = 0;
  for_each_row(is_good, [&](const RawPacket&, const std::string& bytes, Version version) {
    for (int round = 0; round < 200; ++round) {
      std::string mutant = bytes;
      for (size_t n = 1 + below(3); n > 0 && !mutant.empty(); --n) {
        size_t at = below(mutant.size());
        switch (below(3)) {
          case 0: mutant[at] = static_cast<char>(random()); break;
          case 1: mutant.erase(at, 1 + below(4)); break;
          default: mutant.insert(at, 1, static_cast<char>(random())); break;
        }
      }
      Frame f = frame(mutant, kNoLimit);
      if (f.state != Frame::State::complete) continue;
      auto packet = decode_any(f, version);
      ++(packet ? decoded_count : refused_count);
      if (!packet) continue;
      const auto* connect = std::get_if<Connect>(&*packet);
      Version settled = connect ? connect->version : version;
      std::string once = encode_any(*packet, settled);
      auto again = decode_any(frame(once, kNoLimit), settled);
      ASSERT_TRUE(again) << again.error().what;
      EXPECT_EQ(encode_any(*again, settled), once);
    }
  });
  EXPECT_GT(decoded_count, 1000u);
  EXPECT_GT(refused_count, 1000u);
}

}  // namespace
}  // namespace tidegate::mqtt
