#include "config/include.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "config/parse.h"

namespace tidegate::config {
namespace {

constexpr size_t files_max = 256;

std::optional<Node> read_one(Reading& reading, const std::string& path) {
  auto file = reading.outside().read_file(path);
  if (!file) {
    reading.error({path, 0, 0, ""}, "the file cannot be read: " + file.error().context);
    return std::nullopt;
  }
  reading.note_file_mode(path, file->mode);
  auto tree = parse_json(file->text, path);
  if (!tree) {
    reading.error(tree.error().place, tree.error().message);
    return std::nullopt;
  }
  if (tree->kind != Kind::object) {
    reading.expected(*tree, "an object");
    return std::nullopt;
  }
  return std::move(*tree);
}

// Lists are joined, objects merged. What cannot be is left standing twice, for check_keys to name both places; so is a
// key that `from` itself has twice.
void merge(Node& into, Node&& from) {
  std::set<std::string> taken;
  for (Member& member : from.members) {
    auto there = std::ranges::find(into.members, member.key, &Member::key);
    bool fresh = taken.insert(member.key).second;
    bool joins = fresh && there != into.members.end() && there->value.kind == member.value.kind;
    if (joins && member.value.kind == Kind::object) {
      merge(there->value, std::move(member.value));
    } else if (joins && member.value.kind == Kind::array) {
      for (Node& item : member.value.items) there->value.items.push_back(std::move(item));
    } else {
      into.members.push_back(std::move(member));
    }
  }
}

// The configuration files of a folder, in order of name.
std::vector<std::string> files_of(Reading& reading, const Node& include_dir) {
  auto folder = reading.path(include_dir);
  if (!folder) return {};
  auto names = reading.outside().list_folder(*folder);
  if (!names) {
    reading.error(include_dir.place, "the folder cannot be read: " + names.error().context);
    return {};
  }
  std::erase_if(*names, [](const std::string& name) {
    return name.starts_with('.') || !(name.ends_with(".json") || name.ends_with(".jsonc"));
  });
  std::ranges::sort(*names);
  if (names->size() > files_max) {
    reading.error(include_dir.place,
                  "the folder has " + std::to_string(names->size()) + " files; at most 256 are read");
    names->resize(files_max);
  }
  for (std::string& name : *names) name = *folder + "/" + name;
  return std::move(*names);
}

void collect(const Node& node, const std::string& pointer, Places& out) {
  out.emplace(pointer, node.place);
  for (const Member& member : node.members) collect(member.value, child_pointer(pointer, member.key), out);
  for (size_t i = 0; i < node.items.size(); ++i) collect(node.items[i], child_pointer(pointer, i), out);
}

}  // namespace

std::optional<Node> read_tree(Reading& reading, const std::string& path) {
  auto tree = read_one(reading, path);
  if (!tree) return std::nullopt;
  const Node* include_dir = tree->find("include_dir");
  if (include_dir == nullptr) return tree;
  for (const std::string& file : files_of(reading, *include_dir)) {
    auto further = read_one(reading, file);
    if (!further) continue;
    if (const Node* inner = further->find("include_dir")) {
      reading.error(inner->place, "an included file includes no others");
      std::erase_if(further->members, [](const Member& m) { return m.key == "include_dir"; });
    }
    merge(*tree, std::move(*further));
  }
  return tree;
}

Places places_of(const Node& tree) {
  Places places;
  collect(tree, "", places);
  return places;
}

}  // namespace tidegate::config
