#include "gateway/access/password_file.h"

#include <algorithm>
#include <set>
#include <utility>

#include "gateway/access/lines.h"

namespace tidegate::access {
namespace {

FormOrProblem of_parts(std::string_view hash, HashForm form, std::ptrdiff_t dollars, const char* whole) {
  if (std::ranges::count(hash, '$') != dollars || hash.ends_with('$')) {
    return {form, std::string("expected a whole \"") + whole + "\", found a part of one"};
  }
  return {form, ""};
}

// Every line as it stands, its end included, with the user that it speaks of; empty: a comment or a mistake.
template <class Visit>
void for_each_raw_line(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    std::string_view line =
        text.substr(0, text.find('\n') == std::string_view::npos ? text.size() : text.find('\n') + 1);
    text.remove_prefix(line.size());
    std::string_view content = trimmed(line);
    size_t colon = content.find(':');
    bool has_user = !content.empty() && content.front() != '#' && colon != std::string_view::npos;
    visit(line, has_user ? trimmed(content.substr(0, colon)) : std::string_view());
  }
}

}  // namespace

FormOrProblem form_of(std::string_view hash) {
  if (hash.starts_with("$argon2id$")) {
    return of_parts(hash, HashForm::argon2id, 5, "$argon2id$v=19$m=...,t=...,p=...$salt$hash");
  }
  if (hash.starts_with("$7$")) return of_parts(hash, HashForm::pbkdf2_sha512, 4, "$7$iterations$salt$hash");
  if (hash.starts_with("$6$")) return of_parts(hash, HashForm::sha512, 3, "$6$salt$hash");
  if (hash.starts_with("SCRAM-SHA-256$")) {
    return of_parts(hash, HashForm::scram_sha256, 2, "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey");
  }
  return {{}, "expected a hash ($argon2id$..., or Mosquitto's $7$... or $6$...); a plain password is never taken"};
}

bool looks_like_hash(std::string_view text) {
  constexpr std::string_view beginnings[] = {"$1$", "$2a$", "$2b$", "$2y$",    "$5$",      "$6$",           "$7$",
                                             "$y$", "$gy$", "$md5", "$argon2", "$pbkdf2-", "SCRAM-SHA-256$"};
  return std::ranges::any_of(beginnings, [&](std::string_view beginning) { return text.starts_with(beginning); });
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
      if (!hash.empty() && !looks_like_hash(hash)) file.plain.push_back({number, name, hash});
      return file.problems.push_back({number, "user \"" + name + "\": " + problem});
    }
    if (!seen.insert(name).second) {
      return file.problems.push_back({number, "the user \"" + name + "\" stands above already"});
    }
    file.users.push_back({number, std::move(name), std::move(hash)});
  });
  return file;
}

std::string with_user(std::string_view text, std::string_view name, std::string_view hash) {
  std::string entry = std::string(name) + ":" + std::string(hash) + "\n";
  std::string out;
  bool replaced = false;
  for_each_raw_line(text, [&](std::string_view line, std::string_view user) {
    if (user != name) {
      out.append(line);
    } else if (!std::exchange(replaced, true)) {
      out.append(entry);
    }
  });
  if (replaced) return out;
  if (!out.empty() && !out.ends_with('\n')) out.push_back('\n');
  return out + entry;
}

std::optional<std::string> without_user(std::string_view text, std::string_view name) {
  std::string out;
  bool found = false;
  for_each_raw_line(text, [&](std::string_view line, std::string_view user) {
    if (user == name) {
      found = true;
    } else {
      out.append(line);
    }
  });
  if (!found) return {};
  return out;
}

}  // namespace tidegate::access
