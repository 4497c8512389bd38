#include "gateway/login/passwords.h"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "gateway/login/base64.h"
#include "gateway/login/scram.h"

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

// Text between dollars: part 1 is the one behind the first.
std::string_view part_of(std::string_view hash, int part) {
  for (; part > 0; --part) {
    size_t dollar = hash.find('$');
    if (dollar == std::string_view::npos) return {};
    hash.remove_prefix(dollar + 1);
  }
  return hash.substr(0, hash.find('$'));
}

using Digest = std::array<uint8_t, 64>;

bool is_equal(const Digest& digest, std::string_view base64) {
  auto expected = from_base64(base64);
  return expected && expected->size() == digest.size() &&
         CRYPTO_memcmp(expected->data(), digest.data(), digest.size()) == 0;
}

bool is_pbkdf2_password(std::string_view hash, std::string_view password) {
  constexpr int iterations_max = 10'000'000;
  std::string_view text = part_of(hash, 2);
  int iterations = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), iterations);
  auto salt = from_base64(part_of(hash, 3));
  bool usable = error == std::errc{} && end == text.data() + text.size() && iterations > 0 && salt;
  if (!usable || iterations > iterations_max) return false;
  Digest digest;
  PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                    reinterpret_cast<const unsigned char*>(salt->data()), static_cast<int>(salt->size()), iterations,
                    EVP_sha512(), static_cast<int>(digest.size()), digest.data());
  return is_equal(digest, part_of(hash, 4));
}

bool is_sha512_password(std::string_view hash, std::string_view password) {
  auto salt = from_base64(part_of(hash, 2));
  if (!salt) return false;
  std::string salted(password);
  salted.append(*salt);
  Digest digest;
  bool made = EVP_Digest(salted.data(), salted.size(), digest.data(), nullptr, EVP_sha512(), nullptr) == 1;
  OPENSSL_cleanse(salted.data(), salted.size());
  return made && is_equal(digest, part_of(hash, 3));
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
  if (hash.starts_with("$7$")) return is_pbkdf2_password(hash, password);
  if (hash.starts_with("$6$")) return is_sha512_password(hash, password);
  if (hash.starts_with(scram_method)) return is_scram_password(hash, password);
  return argon2id_verify(hash.c_str(), password.data(), password.size()) == ARGON2_OK;
}

std::string_view effort_of(std::string_view hash) {
  if (hash.starts_with(scram_method)) return hash.substr(0, hash.find(':'));
  std::string_view without_hash = hash.substr(0, hash.rfind('$'));
  return without_hash.substr(0, without_hash.rfind('$'));  // nor salt
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
