// The judge is judged: what it counts, and what it reads off the wire.
#include <gtest/gtest.h>

#include "tests/bench/tally.h"
#include "tests/bench/wire.h"

namespace bench {
namespace {

TEST(Stream, CountsNothingMissingInOrder) {
  Stream stream;
  for (uint64_t sequence = 1; sequence <= 100; ++sequence) EXPECT_EQ(stream.add(sequence), Arrival::in_order);
  EXPECT_EQ(stream.received(), 100U);
  EXPECT_EQ(stream.gaps(), 0U);
  EXPECT_EQ(stream.missing_below(101), 0U);
  EXPECT_EQ(stream.missing_below(111), 10U);
}

TEST(Stream, FindsWhatIsLostInTheMiddle) {
  Stream stream;
  for (uint64_t sequence : {1U, 2U, 6U, 7U, 10U}) stream.add(sequence);
  EXPECT_EQ(stream.gaps(), 5U);
  EXPECT_EQ(stream.received(), 5U);
  EXPECT_EQ(stream.missing_below(5), 2U);
  EXPECT_FALSE(stream.has(4));
  EXPECT_TRUE(stream.has(7));
  EXPECT_FALSE(stream.has(9));
  EXPECT_FALSE(stream.has(11));
}

TEST(Stream, TellsLateFromDuplicate) {
  Stream stream;
  for (uint64_t sequence : {1U, 5U}) stream.add(sequence);
  EXPECT_EQ(stream.add(3), Arrival::late);
  EXPECT_EQ(stream.add(3), Arrival::duplicate);
  EXPECT_EQ(stream.add(2), Arrival::late);
  EXPECT_EQ(stream.add(4), Arrival::late);
  EXPECT_EQ(stream.add(1), Arrival::duplicate);
  EXPECT_EQ(stream.add(5), Arrival::duplicate);
  EXPECT_EQ(stream.gaps(), 0U);
  EXPECT_EQ(stream.received(), 5U);
}

TEST(Stream, BeginsWhereItIsTold) {
  Stream stream(11);
  EXPECT_EQ(stream.add(12), Arrival::in_order);
  EXPECT_EQ(stream.gaps(), 1U);
  EXPECT_FALSE(stream.has(3));
  EXPECT_EQ(stream.add(3), Arrival::duplicate);
}

TEST(Histogram, IsRightToTwoPercent) {
  Histogram histogram;
  for (int64_t us = 1; us <= 10000; ++us) histogram.add(us * 1000);
  EXPECT_NEAR(histogram.quantile_us(0.50), 5000, 100);
  EXPECT_NEAR(histogram.quantile_us(0.99), 9900, 200);
  EXPECT_EQ(histogram.quantile_us(1), 10000);
  EXPECT_EQ(histogram.max_us(), 10000);
}

TEST(Wire, ReadsBackThePublishThatItWrites) {
  for (Version version : {Version::v311, Version::v5}) {
    std::string bytes;
    append_publish(bytes, version, {"a/b", 1, true, 7}, "hello");
    Frame frame{};
    EXPECT_EQ(next_frame(std::string_view(bytes).substr(0, bytes.size() - 1), frame), FrameState::incomplete);
    ASSERT_EQ(next_frame(bytes, frame), FrameState::complete);
    EXPECT_EQ(frame.size, bytes.size());
    auto publish = parse_publish(version, frame);
    ASSERT_TRUE(publish.has_value());
    EXPECT_EQ(publish->topic, "a/b");
    EXPECT_EQ(publish->payload, "hello");
    EXPECT_EQ(publish->id, 7);
    EXPECT_TRUE(publish->retain);
  }
}

// The worked examples of the standard, not of our own encoder.
TEST(Wire, WritesTheBytesOfTheStandard) {
  std::string bytes;
  append_connect(bytes, {Version::v311, "ab", true, 60});
  EXPECT_EQ(bytes, std::string("\x10\x0e\0\4MQTT\4\2\0\x3c\0\2ab", 16));
  bytes.clear();
  append_ack(bytes, PacketType::pubrel, 0x1234);
  EXPECT_EQ(bytes, "\x62\x02\x12\x34");
}

TEST(Wire, FindsTheReceiveMaximumAmongOtherProperties) {
  // Maximum QoS 1, Topic Alias Maximum 10, Assigned Client Identifier "x", Receive Maximum 20.
  std::string_view body("\0\0\x0c\x24\1\x22\0\x0a\x12\0\1x\x21\0\x14", 15);
  auto connack = parse_connack(Version::v5, body);
  ASSERT_TRUE(connack.has_value());
  EXPECT_EQ(connack->receive_maximum, 20);
}

TEST(Wire, RefusesALengthOfFiveBytes) {
  Frame frame{};
  EXPECT_EQ(next_frame("\x30\xff\xff\xff\xff\x01", frame), FrameState::malformed);
}

}  // namespace
}  // namespace bench
