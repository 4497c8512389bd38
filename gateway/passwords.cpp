#include "gateway/passwords.h"

#include <argon2.h>
#include <sys/random.h>

#include <array>
#include <vector>

namespace tidegate {
namespace {

constexpr uint32_t memory_kib = 19 * 1024;
constexpr uint32_t passes = 2;
constexpr uint32_t lanes = 1;
constexpr size_t salt_bytes = 16;
constexpr size_t hash_bytes = 32;

Status fill_random(void* into, size_t size) {
  if (::getrandom(into, size, 0) == static_cast<ssize_t>(size)) return {};
  return fail(ErrorCode::not_available, "the operating system gave no random bytes");
}

}  // namespace

Result<std::string> hash_password(std::string_view password) {
  std::array<uint8_t, salt_bytes> salt;
  if (auto filled = fill_random(salt.data(), salt.size()); !filled) return tl::unexpected(filled.error());
  std::vector<char> text(argon2_encodedlen(passes, memory_kib, lanes, salt_bytes, hash_bytes, Argon2_id));
  int rc = argon2id_hash_encoded(passes, memory_kib, lanes, password.data(), password.size(), salt.data(), salt.size(),
                                 hash_bytes, text.data(), text.size());
  if (rc != ARGON2_OK) return fail(ErrorCode::not_available, std::string("argon2id: ") + argon2_error_message(rc));
  return std::string(text.data());
}

bool is_password(const std::string& hash, std::string_view password) {
  return argon2id_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
}

Result<std::string> random_password() {
  static constexpr std::string_view alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
  std::string password;
  while (password.size() < 20) {
    uint8_t byte = 0;
    if (auto filled = fill_random(&byte, 1); !filled) return tl::unexpected(filled.error());
    constexpr size_t even_share = 256 - 256 % alphabet.size();
    if (byte < even_share) password.push_back(alphabet[byte % alphabet.size()]);
  }
  return password;
}

}  // namespace tidegate
