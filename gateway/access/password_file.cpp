#include "gateway/access/password_file.h"

#include <algorithm>
#include <set>

#include "gateway/access/lines.h"

namespace tidegate::access {
namespace {

FormOrProblem of_parts(std::string_view hash, HashForm form, std::ptrdiff_t dollars, const char* whole) {
  if (std::ranges::count(hash, '$') != dollars || hash.ends_with('$')) {
    return {form, std::string("expected a whole \"") + whole + "\", found a part of one"};
  }
  return {form, ""};
}

}  // namespace

FormOrProblem form_of(std::string_view hash) {
  if (hash.starts_with("$argon2id$")) {
    return of_parts(hash, HashForm::argon2id, 5, "$argon2id$v=19$m=...,t=...,p=...$salt$hash");
  }
  if (hash.starts_with("$7$")) return of_parts(hash, HashForm::pbkdf2_sha512, 4, "$7$iterations$salt$hash");
  if (hash.starts_with("$6$")) return of_parts(hash, HashForm::sha512, 3, "$6$salt$hash");
  return {{}, "expected a hash ($argon2id$..., or Mosquitto's $7$... or $6$...); a plain password is never taken"};
}

PasswordFile parse_password_file(std::string_view text) {
  PasswordFile file;
  std::set<std::string, std::less<>> seen;
  for_each_line(text, [&](size_t number, std::string_view line) {
    size_t colon = line.find(':');
    std::string name(trimmed(line.substr(0, colon)));
    if (colon == std::string_view::npos || name.empty()) {
      return file.problems.push_back({number, "expected: NAME:HASH"});
    }
    std::string hash(trimmed(line.substr(colon + 1)));
    if (std::string problem = form_of(hash).problem; !problem.empty()) {
      return file.problems.push_back({number, "user \"" + name + "\": " + problem});
    }
    if (!seen.insert(name).second) {
      return file.problems.push_back({number, "the user \"" + name + "\" stands above already"});
    }
    file.users.push_back({number, std::move(name), std::move(hash)});
  });
  return file;
}

}  // namespace tidegate::access
