#include "config/parse.h"

#include <gtest/gtest.h>

namespace tidegate::config {
namespace {

Node parsed(std::string_view text) {
  auto node = parse_json(text, "t.json");
  EXPECT_TRUE(node.has_value()) << render(node.error());
  return node ? *node : Node{};
}

std::string refused(std::string_view text) {
  auto node = parse_json(text, "t.json");
  return node ? "accepted" : render(node.error());
}

std::string at(const Place& place) {
  return std::to_string(place.line) + ":" + std::to_string(place.column) + " " + place.pointer;
}

TEST(Parse, KnowsWhereEveryKeyAndValueStands) {
  Node root = parsed("{\n  \"a\": 60/* c */,\n  // \"b\": 1,\n  \"ü\": [true,\n \"x\\\"y\", {\"c\":null}]\n}\n");
  ASSERT_EQ(root.members.size(), 2u);
  EXPECT_EQ(at(root.members[0].key_place), "2:3 /a");
  EXPECT_EQ(at(root.members[0].value.place), "2:8 /a");
  EXPECT_EQ(root.members[0].value.text, "60");
  EXPECT_EQ(at(root.members[1].key_place), "4:3 /ü");
  const Node& list = root.members[1].value;
  EXPECT_EQ(at(list.place), "4:8 /ü");
  EXPECT_EQ(at(list.items[0].place), "4:9 /ü/0");
  EXPECT_EQ(at(list.items[1].place), "5:2 /ü/1");
  EXPECT_EQ(list.items[1].text, "x\"y");
  EXPECT_EQ(at(list.items[2].members[0].value.place), "5:15 /ü/2/c");
}

TEST(Parse, KeepsBothOfTwoEqualKeys) {
  Node root = parsed("{\"a\":1,\n\"a\":2}");
  ASSERT_EQ(root.members.size(), 2u);
  EXPECT_EQ(root.members[0].key_place.line, 1u);
  EXPECT_EQ(root.members[1].key_place.line, 2u);
}

TEST(Parse, EscapesKeysInPointers) {
  EXPECT_EQ(parsed("{\"a/b~c\":1}").members[0].value.place.pointer, "/a~1b~0c");
}

TEST(Parse, ReadsPastAByteOrderMark) {
  EXPECT_EQ(at(parsed("\xEF\xBB\xBF{\"a\":1}").members[0].key_place), "1:2 /a");
}

TEST(Parse, NamesTheTrailingComma) {
  EXPECT_EQ(refused("{\n  \"a\": 1, // last\n}"), "t.json:2:9: error: a trailing comma is not allowed: remove it");
  EXPECT_EQ(refused("{\"a\": [1, 2,\n]}"), "t.json:1:12: error: /a: a trailing comma is not allowed: remove it");
}

TEST(Parse, SaysWhereASyntaxErrorStands) {
  EXPECT_EQ(refused("{\n  \"a\" 1\n}").substr(0, 20), "t.json:2:7: error: s");
  EXPECT_NE(refused("{\"a\": 1").find("unexpected end of input"), std::string::npos) << refused("{\"a\": 1");
  EXPECT_NE(refused(""), "accepted");
  EXPECT_NE(refused("{} {}"), "accepted");
  EXPECT_NE(refused("{\"a\":\"\xff\"}"), "accepted");
}

TEST(Parse, LimitsNestingAndSize) {
  EXPECT_NE(refused(std::string(nesting_max + 1, '[')).find("nested deeper than 64"), std::string::npos);
  EXPECT_EQ(refused(std::string(nesting_max, '[') + std::string(nesting_max, ']')), "accepted");
  EXPECT_NE(refused(std::string(file_bytes_max + 1, ' ')).find("at most 4 MiB"), std::string::npos);
  std::string many = "[0";
  for (size_t i = 0; i < values_max; ++i) many += ",0";
  EXPECT_NE(refused(many + "]").find("more than 100000 values"), std::string::npos);
}

}  // namespace
}  // namespace tidegate::config
