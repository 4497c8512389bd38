#include "gateway/access/acl_file.h"

#include <optional>

#include "gateway/access/lines.h"

namespace tidegate::access {
namespace {

std::optional<Permission> permission_of(std::string_view word) {
  if (word == "read") return Permission::read;
  if (word == "write") return Permission::write;
  if (word == "readwrite") return Permission::readwrite;
  if (word == "deny") return Permission::deny;
  return {};
}

// Cuts the first word off `rest`, and the blanks behind it.
std::string_view take_word(std::string_view& rest) {
  size_t end = rest.find_first_of(" \t");
  std::string_view word = rest.substr(0, end);
  rest = trimmed(rest.substr(word.size()));
  return word;
}

class Parser {
 public:
  explicit Parser(std::string_view name) : name_(name) {}

  void line(size_t number, std::string_view line) {
    std::string_view rest = line;
    std::string_view word = take_word(rest);
    if (word == "user") {
      if (rest.empty()) return problem(number, "expected: user NAME");
      user_ = rest;
    } else if (word == "topic") {
      add(number, rest, user_ ? AclRule::Who::user : AclRule::Who::anonymous);
    } else if (word == "pattern") {
      add(number, rest, AclRule::Who::everybody);
    } else {
      problem(number, "expected \"user\", \"topic\" or \"pattern\", found \"" + std::string(word) + "\"");
    }
  }

  AclFile take() { return std::move(file_); }

 private:
  void problem(size_t number, std::string what) { file_.problems.push_back({number, std::move(what)}); }

  // Without one of the four words, all of `rest` is the topic, which may have blanks in it.
  void add(size_t number, std::string_view rest, AclRule::Who who) {
    std::string_view topic = rest;
    auto permission = permission_of(take_word(topic));
    if (!permission || topic.empty()) {
      permission = Permission::readwrite;
      topic = rest;
    }
    if (!is_acl_topic(topic)) {
      return problem(number, "expected a topic filter, found \"" + std::string(topic) + "\"");
    }
    file_.rules.push_back({who, who == AclRule::Who::user ? *user_ : std::string(), *permission, std::string(topic),
                           std::string(name_) + ":" + std::to_string(number)});
  }

  std::string_view name_;
  std::optional<std::string> user_;
  AclFile file_;
};

}  // namespace

AclFile parse_acl_file(std::string_view text, std::string_view name) {
  Parser parser(name);
  for_each_line(text, [&](size_t number, std::string_view line) { parser.line(number, line); });
  return parser.take();
}

}  // namespace tidegate::access
