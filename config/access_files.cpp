#include "config/access_files.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/access/acl_file.h"
#include "gateway/access/password_file.h"

namespace tidegate::config {
namespace {

constexpr uint32_t others_read_or_change = 0007;

Place line_of(const std::string& file, size_t line) {
  return {file, static_cast<uint32_t>(line), 1, ""};
}

// Nothing: it is not configured or cannot be read, which has been reported at the key.
std::optional<FileContent> read_file(Reading& reading, const Node& access, const char* key, const std::string& path) {
  const Node* node = access.find(key);
  if (path.empty() || node == nullptr) return std::nullopt;
  auto file = reading.outside().read_file(path);
  if (!file) {
    reading.error(node->place, "the file cannot be read: " + file.error().context);
    return std::nullopt;
  }
  return std::move(*file);
}

void read_password_file(Reading& reading, const Node& access_node, Access& access) {
  auto file = read_file(reading, access_node, "password_file", access.password_file);
  if (!file) return;
  if ((file->mode & others_read_or_change) != 0) {
    reading.warning(line_of(access.password_file, 0),
                    "others can read the hashes of all passwords; run: chmod 0640 " + access.password_file);
  }
  auto parsed = access::parse_password_file(file->text);
  for (auto& [line, what] : parsed.problems) reading.error(line_of(access.password_file, line), std::move(what));
  for (auto& user : parsed.users) {
    if (std::ranges::find(access.users, user.name, &User::name) != access.users.end()) {
      reading.error(line_of(access.password_file, user.line),
                    "the user \"" + user.name + "\" stands under access.users as well: remove one of the two");
      continue;
    }
    access.logins.push_back({std::move(user.name), Secret(std::move(user.hash), "file:" + access.password_file)});
  }
}

access::AclRule::Who who_of(const AclEntry& entry) {
  if (entry.anonymous) return access::AclRule::Who::anonymous;
  return entry.user == "*" ? access::AclRule::Who::everybody : access::AclRule::Who::user;
}

void take_entries(const Node& list, Access& access) {
  for (size_t i = 0; i < access.acl.size() && i < list.items.size(); ++i) {
    const AclEntry& entry = access.acl[i];
    const Place& place = list.items[i].place;
    auto who = who_of(entry);
    access.rules.push_back({who, who == access::AclRule::Who::user ? entry.user : std::string(), entry.access,
                            entry.topic, place.file + ":" + std::to_string(place.line)});
  }
}

}  // namespace

void read_access_files(Reading& reading, const Node& tree, Access& access) {
  access.logins = access.users;
  const Node* node = tree.find("access");
  if (node == nullptr || node->kind != Kind::object) return;
  read_password_file(reading, *node, access);
  const Node* list = node->find("acl");
  access.restricted = list != nullptr || !access.acl_file.empty();
  if (auto file = read_file(reading, *node, "acl_file", access.acl_file)) {
    auto parsed = access::parse_acl_file(file->text, access.acl_file);
    for (auto& [line, what] : parsed.problems) reading.error(line_of(access.acl_file, line), std::move(what));
    access.rules = std::move(parsed.rules);
  }
  if (list != nullptr) take_entries(*list, access);
}

}  // namespace tidegate::config
