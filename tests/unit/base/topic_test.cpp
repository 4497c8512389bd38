#include "gateway/base/topic.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace tidegate {
namespace {

bool matches(std::string_view filter, std::string_view topic) {
  return TopicFilter::parse(filter).value().matches(TopicName::parse(topic).value());
}

TEST(TopicFilter, PlusStandsForExactlyOneLevel) {  // 4.7.1.3
  EXPECT_TRUE(matches("a/+/c", "a/b/c"));
  EXPECT_TRUE(matches("+/+", "/finance"));
  EXPECT_TRUE(matches("/+", "/finance"));
  EXPECT_TRUE(matches("a/+", "a/"));
  EXPECT_FALSE(matches("+", "/finance"));
  EXPECT_FALSE(matches("a/+", "a"));
  EXPECT_FALSE(matches("a/+/c", "a/b/d/c"));
}

TEST(TopicFilter, HashStandsForTheRestAndItsParent) {  // 4.7.1.2
  EXPECT_TRUE(matches("#", "a"));
  EXPECT_TRUE(matches("a/#", "a"));
  EXPECT_TRUE(matches("a/#", "a/b/c"));
  EXPECT_TRUE(matches("a/+/#", "a/b"));
  EXPECT_FALSE(matches("a/#", "ab"));
  EXPECT_FALSE(matches("a/b/#", "a"));
}

TEST(TopicFilter, LeadingWildcardDoesNotSeeReservedTopics) {  // [MQTT-4.7.2-1]
  EXPECT_FALSE(matches("#", "$SYS/broker/uptime"));
  EXPECT_FALSE(matches("+/broker/uptime", "$SYS/broker/uptime"));
  EXPECT_TRUE(matches("$SYS/#", "$SYS/broker/uptime"));
  EXPECT_TRUE(matches("$SYS/+/uptime", "$SYS/broker/uptime"));
}

TEST(TopicFilter, WithoutWildcardsMatchesOnlyItself) {  // [MQTT-4.7.3-4]
  EXPECT_TRUE(matches("a/b", "a/b"));
  EXPECT_FALSE(matches("a/b", "a/B"));
  EXPECT_FALSE(matches("a/b", "/a/b"));
  EXPECT_FALSE(matches("a/b", "a/b/"));
}

TEST(TopicFilter, RefusesMisplacedWildcards) {  // [MQTT-4.7.1-1, 4.7.1-2]
  for (auto text : {"a/#/b", "a#", "#a", "a/b#", "a+", "+a", "a/+b", "", "##"})
    EXPECT_FALSE(TopicFilter::parse(text)) << text;
}

TEST(TopicFilter, OverlapsWhereSomeTopicMatchesBoth) {
  auto overlap = [](std::string_view a, std::string_view b) {
    bool there = TopicFilter::parse(a)->overlaps(*TopicFilter::parse(b));
    EXPECT_EQ(TopicFilter::parse(b)->overlaps(*TopicFilter::parse(a)), there) << a << " " << b;
    return there;
  };
  for (auto [a, b] : std::vector<std::pair<const char*, const char*>>{{"a", "a"},
                                                                      {"a/#", "a"},
                                                                      {"a/+", "+/b"},
                                                                      {"#", "a/b/c"},
                                                                      {"a/#", "+/b/#"},
                                                                      {"+/+", "a/#"},
                                                                      {"$SYS/#", "$SYS/a"},
                                                                      {"a/+/c", "+/b/#"},
                                                                      {"+/#", "a"}})
    EXPECT_TRUE(overlap(a, b)) << a << " " << b;
  for (auto [a, b] : std::vector<std::pair<const char*, const char*>>{{"a", "b"},
                                                                      {"a/+", "a"},
                                                                      {"a/b", "a/b/c"},
                                                                      {"+/a", "b/c"},
                                                                      {"#", "$SYS/a"},
                                                                      {"+/a", "$SYS/a"},
                                                                      {"a/b/#", "a/c/#"},
                                                                      {"a//b", "a/b"}})
    EXPECT_FALSE(overlap(a, b)) << a << " " << b;
}

TEST(TopicFilter, CoversAnotherIfItMatchesAllThatOneDoes) {
  auto covers = [](std::string_view a, std::string_view b) {
    return TopicFilter::parse(a)->covers(*TopicFilter::parse(b));
  };
  for (auto [a, b] : std::vector<std::pair<const char*, const char*>>{
           {"a", "a"}, {"a/#", "a"}, {"a/#", "a/#"}, {"a/#", "a/+/b"}, {"a/+", "a/b"}, {"a/+", "a/+"}, {"#", "+/a"}})
    EXPECT_TRUE(covers(a, b)) << a << " " << b;
  for (auto [a, b] : std::vector<std::pair<const char*, const char*>>{{"a", "a/#"},
                                                                      {"a/+", "a/#"},
                                                                      {"a/b", "a/+"},
                                                                      {"#", "$SYS/#"},
                                                                      {"+/#", "$SYS/a"},
                                                                      {"a/+", "a"},
                                                                      {"a", "a/b"}})
    EXPECT_FALSE(covers(a, b)) << a << " " << b;
}

TEST(TopicName, RefusesWildcardsNulAndMalformedUtf8) {  // [MQTT-1.5.4-2, 4.7.0-1, 4.7.3-2]
  using namespace std::string_view_literals;
  for (auto text : {"a/#"sv, "+"sv, ""sv, "a\0b"sv, "\xC0\x80"sv, "\xED\xA0\x80"sv, "\xF5\x80\x80\x80"sv, "\xE2\x82"sv})
    EXPECT_FALSE(TopicName::parse(text));
  for (auto text : {"a"sv, "/"sv, "a//b"sv, "温度"sv, "\xF0\x9F\x8C\x8A"sv})
    EXPECT_TRUE(TopicName::parse(text)) << text;
}

// Every byte value at every place of texts around the eight-byte steps in which they are judged.
TEST(TopicName, JudgesEveryByteAtEveryPlaceAlike) {
  for (size_t length = 1; length <= 25; ++length) {
    for (size_t at = 0; at < length; ++at) {
      for (unsigned byte = 0; byte < 256; ++byte) {
        std::string text(length, 'x');
        text[at] = static_cast<char>(byte);
        bool string = byte != 0 && byte < 0x80;
        EXPECT_EQ(is_valid_utf8_string(text), string) << length << ' ' << at << ' ' << byte;
        EXPECT_EQ(TopicName::parse(text).has_value(), string && byte != '+' && byte != '#')
            << length << ' ' << at << ' ' << byte;
      }
    }
  }
}

TEST(Utf8String, MayBeEmptyThoughNoTopicMay) {  // 1.5.4, [MQTT-4.7.3-1]
  EXPECT_TRUE(is_valid_utf8_string({}));
  EXPECT_FALSE(TopicName::parse({}));
  EXPECT_FALSE(TopicFilter::parse({}));
}

TEST(TopicName, FindsLongSequencesAcrossEightByteSteps) {
  for (size_t before = 0; before < 17; ++before) {
    std::string good = std::string(before, 'x') + "\xF0\x9F\x8C\x8A" + "xxxxxxxxx";
    EXPECT_TRUE(TopicName::parse(good)) << before;
    EXPECT_FALSE(TopicName::parse(good + "/+")) << before;
    EXPECT_FALSE(TopicName::parse(std::string(before, 'x') + "\xF0\x9F\x8C" + "xxxxxxxxx")) << before;
  }
}

TEST(TopicName, IsAtMost65535BytesLong) {  // [MQTT-4.7.3-3]
  EXPECT_TRUE(TopicName::parse(std::string(65535, 'x')));
  EXPECT_FALSE(TopicName::parse(std::string(65536, 'x')));
}

}  // namespace
}  // namespace tidegate
