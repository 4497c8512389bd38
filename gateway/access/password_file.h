// Mosquitto's password file: a line "NAME:HASH" per user, "#" comments. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/access/acl_file.h"

namespace tidegate::access {

struct PasswordLine {
  size_t line = 0;  // from 1
  std::string name;
  std::string hash;
};

struct PasswordFile {
  std::vector<PasswordLine> users;
  std::vector<PasswordLine> plain;    // their `hash` is a password as it is; also a problem
  std::vector<LineProblem> problems;  // also a name that stands twice
};

[[nodiscard]] PasswordFile parse_password_file(std::string_view text);

// The text with a line for that user in place of the one before, or behind all others. Other lines stay as they are.
[[nodiscard]] std::string with_user(std::string_view text, std::string_view name, std::string_view hash);
// Nothing: there is no such user.
[[nodiscard]] std::optional<std::string> without_user(std::string_view text, std::string_view name);

// The forms that a password is checked against: "$argon2id$v=19$m=,t=,p=$salt$hash" (PHC), Mosquitto's
// "$7$iterations$salt$hash" (PBKDF2-HMAC-SHA512) and "$6$salt$hash" (SHA-512), and the verifiers of SCRAM,
// "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey".
enum class HashForm { argon2id, pbkdf2_sha512, sha512, scram_sha256 };
struct FormOrProblem {
  HashForm form{};
  std::string problem;  // empty: `form` holds
};
[[nodiscard]] FormOrProblem form_of(std::string_view hash);

// Begins as a hash of a form of ours, whole or not, or as one that others make: no password to be hashed again.
[[nodiscard]] bool looks_like_hash(std::string_view text);

}  // namespace tidegate::access
