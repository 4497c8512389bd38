#include "gateway/mqtt/framer.h"

#include "tests/unit/mqtt/codec_helpers.h"

namespace tidegate::mqtt {
namespace {

using State = Frame::State;
using namespace std::string_view_literals;

TEST(Framer, CutsOnePacketAndLeavesTheRest) {
  Frame f = frame(
      "\x30\x03"
      "abc"
      "\xC0\x00"sv,
      kNoLimit);
  EXPECT_EQ(f.state, State::complete);
  EXPECT_EQ(f.first, 0x30);
  EXPECT_EQ(f.body, "abc");
  EXPECT_EQ(f.size, 5u);
}

TEST(Framer, WantsMoreUntilTheLengthIsKnownThenSaysHowMuch) {
  for (auto bytes : {""sv, "\x30"sv, "\x30\x80"sv, "\x30\xFF\xFF\xFF"sv}) {
    EXPECT_EQ(frame(bytes, kNoLimit).state, State::incomplete);
    EXPECT_EQ(frame(bytes, kNoLimit).size, 0u);
  }
  Frame f = frame("\x30\x81\x01x"sv, kNoLimit);
  EXPECT_EQ(f.state, State::incomplete);
  EXPECT_EQ(f.size, 3u + 129u);
}

TEST(Framer, ReadsLengthsAtTheBordersOfTheirForms) {  // table 1-1 (1.5.5)
  for (size_t length : {0u, 127u, 128u, 16'383u, 16'384u, 2'097'151u, 2'097'152u, 268'435'455u}) {
    std::string head(1, '\x30');
    append_varint(static_cast<uint32_t>(length), head);
    EXPECT_EQ(head.size(), 1 + varint_size(static_cast<uint32_t>(length)));
    EXPECT_EQ(frame(head, kNoLimit).size, head.size() + length);
    EXPECT_EQ(frame(head, kNoLimit).state, length == 0 ? State::complete : State::incomplete);
  }
}

TEST(Framer, RefusesALengthOfFiveBytes) {  // 2.1.4
  EXPECT_EQ(frame("\x30\x80\x80\x80\x80"sv, kNoLimit).state, State::malformed);
  EXPECT_EQ(frame("\x30\xFF\xFF\xFF\xFF\x01"sv, kNoLimit).state, State::malformed);
}

TEST(Framer, RefusesTypeZeroAtItsFirstByte) {  // 2.1.2
  EXPECT_EQ(frame("\x00"sv, kNoLimit).state, State::malformed);
  EXPECT_EQ(frame("\x0F\x00"sv, kNoLimit).state, State::malformed);
}

TEST(Framer, RefusesAPacketOverTheLimitBeforeItsBodyArrives) {
  EXPECT_EQ(frame("\x30\x62"sv, 100).state, State::incomplete);
  EXPECT_EQ(frame("\x30\x63"sv, 100).state, State::too_large);
  EXPECT_EQ(frame("\x30\xFF\xFF\xFF\x7F"sv, 100).state, State::too_large);
  EXPECT_EQ(frame("\xC0\x00"sv, 2).state, State::complete);
  EXPECT_EQ(frame("\xC0\x00"sv, 1).state, State::too_large);
}

TEST(Framer, LeavesAPaddedLengthToTheDecoders) {  // only 5.0 forbids it [MQTT-1.5.5-1]
  Frame f = frame("\xC0\x80\x80\x00"sv, kNoLimit);
  EXPECT_EQ(f.state, State::complete);
  EXPECT_EQ(f.size, 4u);
  EXPECT_TRUE(decode(f, Version::v3_1_1));
  EXPECT_FALSE(decode(f, Version::v5));
}

}  // namespace
}  // namespace tidegate::mqtt
