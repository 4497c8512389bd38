#include "config/section.h"

#include <algorithm>
#include <map>
#include <optional>

#include "config/mosquitto.h"
#include "config/schema.h"

namespace tidegate::config {
namespace {

constexpr std::string_view not_built = " is known but not in this version of Tidegate";

const KeyInfo* find_key(const SectionInfo& section, std::string_view key) {
  auto at = std::ranges::find(section.keys, key, &KeyInfo::key);
  return at == section.keys.end() ? nullptr : &*at;
}

std::string place_name(const std::string& where) {
  return where.empty() ? "the top level" : where;
}

// Sections that know `key`: those inside `here` if there are any, else all.
std::vector<std::string> homes_of(std::string_view key, const SectionInfo& here) {
  std::vector<std::string> inside, anywhere;
  for (const SectionInfo* section : all_sections()) {
    if (find_key(*section, key) == nullptr) continue;
    anywhere.push_back(place_name(section->where));
    if (section->where.starts_with(here.where) && !here.where.empty()) inside.push_back(section->where);
  }
  return inside.empty() ? anywhere : inside;
}

std::string unknown_key(const SectionInfo& section, const Member& member) {
  std::string message = "unknown key " + quoted(member.key);
  if (auto hint = mosquitto_key_hint(section.where, member)) return message + ": " + *hint;
  std::vector<std::string> keys;
  for (const KeyInfo& key : section.keys) keys.push_back(key.key);
  if (auto near = nearest(member.key, keys)) return message + "; did you mean " + quoted(*near) + "?";
  constexpr size_t homes_named_max = 3;
  auto homes = homes_of(member.key, section);
  if (!homes.empty() && homes.size() <= homes_named_max) {
    std::string list;
    for (const std::string& home : homes) list += (list.empty() ? "" : " or ") + home;
    return message + " here; it belongs in " + list;
  }
  return message + " in " + place_name(section.where);
}

std::string doubled_key(const Member& first, const Member& second) {
  const Place& a = first.key_place;
  std::string where =
      a.file == second.key_place.file ? "line " + std::to_string(a.line) : a.file + ":" + std::to_string(a.line);
  return "duplicate key " + quoted(second.key) + " in line " + std::to_string(second.key_place.line) +
         "; it stands in " + where + " already";
}

}  // namespace

bool check_keys(Reading& reading, const Node& node, const SectionInfo& section) {
  if (node.kind != Kind::object) {
    reading.expected(node, "an object", object_hint(section, node));
    return false;
  }
  std::map<std::string_view, const Member*> seen;
  for (const Member& member : node.members) {
    auto [first, fresh] = seen.emplace(member.key, &member);
    const KeyInfo* key = find_key(section, member.key);
    if (!fresh) {
      reading.error(member.key_place, doubled_key(*first->second, member));
    } else if (key == nullptr) {
      reading.error(member.key_place, unknown_key(section, member));
    } else if (key->later) {
      reading.error(member.key_place, "the key " + quoted(member.key) + std::string(not_built));
    }
  }
  for (const KeyInfo& key : section.keys)
    if (key.required && node.find(key.key) == nullptr)
      reading.error(node.place, "the key " + quoted(key.key) + " is missing (" + key.type + ")");
  return true;
}

std::string object_hint(const SectionInfo& section, const Node& node) {
  return mosquitto_value_hint(section.where, node).value_or("");
}

}  // namespace tidegate::config
