// `tidegate passwd`: hashes for access.users, and Mosquitto's password file, with the options of mosquitto_passwd.
#pragma once

#include <string>

namespace tidegate {

struct PasswdOptions {
  std::string file;         // empty: the hash is printed
  std::string user;         // required with a file, but for hash_plain
  std::string password;     // of -b; else it is asked for twice without echo, or read from stdin
  bool create = false;      // -c: a new file in place of whatever was there
  bool remove = false;      // -D
  bool batch = false;       // -b
  bool scram = false;       // a verifier for SCRAM-SHA-256 in place of argon2id
  bool hash_plain = false;  // -U: hashes the passwords that stand there plainly
};

// Exit code.
[[nodiscard]] int passwd(const PasswdOptions& options);

}  // namespace tidegate
