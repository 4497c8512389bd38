#include "gateway/login/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <charconv>

#include "gateway/login/base64.h"

namespace tidegate {
namespace {

constexpr size_t key_bytes = 32;
constexpr int iterations_made = 4096;  // RFC 7677 asks for no fewer
constexpr int iterations_max = 10'000'000;

unsigned char* bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hmac(std::string_view key, std::string_view text) {
  std::string out(key_bytes, '\0');
  unsigned size = 0;
  TIDEGATE_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(text), text.size(), bytes(out),
                      &size) != nullptr);
  return out;
}

std::string sha256(std::string_view text) {
  std::string out(key_bytes, '\0');
  TIDEGATE_CHECK(EVP_Digest(text.data(), text.size(), bytes(out), nullptr, EVP_sha256(), nullptr) == 1);
  return out;
}

// Cuts off up to `separator`, which must be there.
std::optional<std::string_view> cut(std::string_view& rest, char separator) {
  size_t at = rest.find(separator);
  if (at == std::string_view::npos) return {};
  std::string_view part = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return part;
}

// The value of an attribute "x=value" up to the next comma or the end.
std::optional<std::string_view> attribute(std::string_view& rest, char name) {
  if (rest.size() < 2 || rest[0] != name || rest[1] != '=') return {};
  size_t end = rest.find(',');
  std::string_view value = rest.substr(2, end == std::string_view::npos ? end : end - 2);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return value;
}

// RFC 5802, 5.1: =2C for a comma, =3D for an equals sign, and no other.
std::optional<std::string> user_name(std::string_view text) {
  std::string name;
  while (!text.empty()) {
    if (text.front() != '=') {
      name.push_back(text.front());
      text.remove_prefix(1);
      continue;
    }
    if (!text.starts_with("=2C") && !text.starts_with("=3D")) return {};
    name.push_back(text[1] == '2' ? ',' : '=');
    text.remove_prefix(3);
  }
  if (name.empty()) return {};
  return name;
}

struct Keys {
  std::string stored, server;
};

Keys keys_of(std::string_view password, std::string_view salt, int iterations) {
  std::string salted(key_bytes, '\0');
  TIDEGATE_CHECK(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes(salt),
                                   static_cast<int>(salt.size()), iterations, EVP_sha256(),
                                   static_cast<int>(salted.size()), bytes(salted)) == 1);
  Keys keys{sha256(hmac(salted, "Client Key")), hmac(salted, "Server Key")};
  OPENSSL_cleanse(salted.data(), salted.size());
  return keys;
}

bool is_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::optional<ScramVerifier> parse_scram_verifier(std::string_view text) {
  auto method = cut(text, '$');
  auto iterations = cut(text, ':');
  auto salt = cut(text, '$');
  auto stored = cut(text, ':');
  if (!method || *method != scram_method || !iterations || !salt || !stored) return {};
  ScramVerifier verifier;
  auto [end, error] = std::from_chars(iterations->data(), iterations->data() + iterations->size(), verifier.iterations);
  if (error != std::errc{} || end != iterations->data() + iterations->size()) return {};
  if (verifier.iterations < 1 || verifier.iterations > iterations_max) return {};
  auto raw_salt = from_base64(*salt), raw_stored = from_base64(*stored), raw_server = from_base64(text);
  if (!raw_salt || !raw_stored || !raw_server) return {};
  if (raw_stored->size() != key_bytes || raw_server->size() != key_bytes) return {};
  verifier.salt = *raw_salt;
  verifier.stored_key = *raw_stored;
  verifier.server_key = *raw_server;
  return verifier;
}

Result<std::string> make_scram_verifier(std::string_view password) {
  if (std::ranges::any_of(password, [](char c) { return c < ' ' || c > '~'; })) {
    return fail(ErrorCode::invalid, "a SCRAM password may hold printable ASCII alone");
  }
  std::string salt(16, '\0');
  if (RAND_bytes(bytes(salt), static_cast<int>(salt.size())) != 1) {
    return fail(ErrorCode::not_available, "no random bytes");
  }
  Keys keys = keys_of(password, salt, iterations_made);
  return std::string(scram_method) + "$" + std::to_string(iterations_made) + ":" + to_base64(salt) + "$" +
         to_base64(keys.stored) + ":" + to_base64(keys.server);
}

bool is_scram_password(std::string_view text, std::string_view password) {
  auto verifier = parse_scram_verifier(text);
  return verifier && is_equal(keys_of(password, verifier->salt, verifier->iterations).stored, verifier->stored_key);
}

std::optional<std::string> ScramServer::next(std::string_view message) {
  if (over_) return {};
  auto answer = std::exchange(begun_, true) ? final(message) : first(message);
  over_ = done_ || !answer;
  return answer;
}

// gs2-header "n=" user ",r=" nonce ["," extensions]
std::optional<std::string> ScramServer::first(std::string_view message) {
  std::string_view rest = message;
  auto binding = cut(rest, ',');
  auto identity = binding ? cut(rest, ',') : std::nullopt;
  if (!identity || (*binding != "n" && *binding != "y")) return {};  // "p": channel binding
  header_ = message.substr(0, message.size() - rest.size());
  std::string_view bare = rest;
  auto name = attribute(rest, 'n');
  auto client_nonce = name ? attribute(rest, 'r') : std::nullopt;
  auto user = name ? user_name(*name) : std::nullopt;
  if (!user || !client_nonce || client_nonce->empty()) return {};
  if (!identity->empty()) {  // to act as somebody else
    if (!identity->starts_with("a=") || user_name(identity->substr(2)) != user) return {};
  }
  user_ = *user;
  verifier_ = lookup_(user_);
  nonce_.insert(0, *client_nonce);
  std::string answer = "r=" + nonce_ + ",s=" + to_base64(verifier_.salt) + ",i=" + std::to_string(verifier_.iterations);
  signed_so_far_ = std::string(bare) + "," + answer;
  return answer;
}

// "c=" gs2-header in Base64 ",r=" nonce ["," extensions] ",p=" proof
std::optional<std::string> ScramServer::final(std::string_view message) {
  size_t proof_at = message.rfind(",p=");
  if (proof_at == std::string_view::npos) return {};
  auto proof = from_base64(message.substr(proof_at + 3));
  std::string_view rest = message.substr(0, proof_at);
  const std::string signed_text = signed_so_far_ + "," + std::string(rest);
  auto binding = attribute(rest, 'c');
  auto nonce = binding ? attribute(rest, 'r') : std::nullopt;
  if (!proof || proof->size() != key_bytes || !nonce) return {};
  if (*binding != to_base64(header_) || *nonce != nonce_) return {};
  std::string client_key = hmac(verifier_.stored_key, signed_text);
  for (size_t i = 0; i < key_bytes; ++i) client_key[i] = static_cast<char>(client_key[i] ^ (*proof)[i]);
  if (!is_equal(sha256(client_key), verifier_.stored_key)) return {};
  done_ = true;
  return "v=" + to_base64(hmac(verifier_.server_key, signed_text));
}

std::string scram_nonce() {
  std::string raw(18, '\0');
  TIDEGATE_CHECK(RAND_bytes(bytes(raw), static_cast<int>(raw.size())) == 1);
  return to_base64(raw);
}

}  // namespace tidegate
