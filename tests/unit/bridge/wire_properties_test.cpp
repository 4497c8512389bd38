#include "bridge/wire_properties.h"

#include <gtest/gtest.h>

using namespace std::string_view_literals;

namespace tidegate::bridge {
namespace {

using Id = WireProperty::Id;

TEST(WireProperties, ReadsWhatItWroteInOrder) {
  const std::vector<WireProperty> items = {
      {.id = Id::user, .text = "b", .second = "2"},   {.id = Id::payload_format, .number = 1},
      {.id = Id::correlation_data, .text = "\0\1"sv}, {.id = Id::response_topic, .text = "r/t"},
      {.id = Id::content_type, .text = "json"},       {.id = Id::user, .text = "a", .second = ""}};
  std::string wire;
  for (const auto& item : items) append_wire_property(wire, item);
  auto read = parse_wire_properties(wire);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, items);
}

TEST(WireProperties, HasTheBytesOfTheStandard) {
  std::string wire;
  append_wire_property(wire, {.id = Id::payload_format, .number = 1});
  append_wire_property(wire, {.id = Id::user, .text = "k", .second = "vv"});
  EXPECT_EQ(wire, "\x01\x01\x26\x00\x01k\x00\x02vv"sv);
}

TEST(WireProperties, RefusesWhatIsCutOrDoesNotTravel) {
  EXPECT_FALSE(parse_wire_properties("\x03\x00\x05js"sv));
  EXPECT_FALSE(parse_wire_properties("\x23\x00\x01"sv));  // topic alias
  EXPECT_FALSE(parse_wire_properties("\x01"sv));
  EXPECT_TRUE(parse_wire_properties("")->empty());
}

}  // namespace
}  // namespace tidegate::bridge
