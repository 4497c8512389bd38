// Password hashes. Made: argon2id in the PHC text form ($argon2id$v=19$m=...,t=...,p=...$salt$hash). Checked: also those
// of mosquitto_passwd, "$7$iterations$salt$hash" (PBKDF2-HMAC-SHA512) and "$6$salt$hash" (SHA-512 of password and salt),
// salt and hash in Base64.
#pragma once

#include <string>
#include <string_view>

#include "gateway/base/result.h"

namespace tidegate {

// Takes about 50 ms and 19 MiB (OWASP's recommendation: m=19 MiB, t=2, p=1). Errors: not_available (no memory).
[[nodiscard]] Result<std::string> hash_password(std::string_view password);

// Constant time in the hash. Takes as long as the hash was made to take. Any thread.
[[nodiscard]] bool is_password(const std::string& hash, std::string_view password);

// What decides how long checking takes: the form of the hash and its parameters, "$7$101" or "$argon2id$v=19$m=19456,...".
[[nodiscard]] std::string_view effort_of(std::string_view hash);

// 20 characters of a 57-letter alphabet without look-alikes: 116 bits from the operating system.
[[nodiscard]] Result<std::string> random_password();

}  // namespace tidegate
