// JSON as it was written: every value and key with its place, duplicate keys kept, numbers as their text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"

namespace tidegate::config {

enum class Kind : uint8_t { null, boolean, number, string, array, object };

struct Member;

struct Node {
  Kind kind = Kind::null;
  Place place;
  bool boolean = false;
  std::string text;             // a string's value; a number as it was written
  std::vector<Member> members;  // of an object, in order, duplicates included
  std::vector<Node> items;      // of an array

  // The first member of that name; null if there is none.
  [[nodiscard]] const Node* find(std::string_view key) const;
};

struct Member {
  std::string key;
  Place key_place;  // its pointer is the member's
  Node value;
};

inline const Node* Node::find(std::string_view key) const {
  for (const Member& m : members)
    if (m.key == key) return &m.value;
  return nullptr;
}

// The pointer of a child: ~ and / escaped [RFC 6901, 3].
[[nodiscard]] std::string child_pointer(const std::string& parent, std::string_view key);
[[nodiscard]] std::string child_pointer(const std::string& parent, size_t index);

// As it would stand in a file, for messages: `60`, `"abc"`, `an object`. Long text is cut.
[[nodiscard]] std::string shown(const Node& node);

}  // namespace tidegate::config
