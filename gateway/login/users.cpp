#include "gateway/login/users.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <utility>

#include "gateway/login/passwords.h"

namespace tidegate {
namespace {

constexpr size_t proof_bytes = 32;

std::string random_key() {
  std::string key(proof_bytes, '\0');
  TIDEGATE_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(key.size())) == 1);
  return key;
}

std::string hmac(const std::string& key, const std::string& text) {
  std::string out(proof_bytes, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), reinterpret_cast<unsigned char*>(out.data()), &size);
  return out;
}

}  // namespace

Users::Users() : key_(random_key()) {}

void Users::set(const std::vector<config::User>& users) {
  auto hashes = std::make_shared<Hashes>();
  for (const config::User& user : users) {
    const std::string& hash = hashes->by_name.emplace(user.name, user.password_hash.reveal()).first->second;
    hashes->by_effort.emplace(effort_of(hash), hash);
  }
  auto verifiers = std::make_shared<Verifiers>();
  for (const auto& [name, hash] : hashes->by_name) {
    auto verifier = parse_scram_verifier(hash);
    if (!verifier) continue;
    verifiers->decoy_key += verifier->stored_key;
    verifiers->by_name.emplace(name, std::move(*verifier));
  }
  std::lock_guard lock(mutex_);
  verifiers_ = std::move(verifiers);
  std::erase_if(proofs_, [&](const auto& proof) { return !hashes->by_name.contains(proof.first); });
  hashes_ = std::move(hashes);
}

bool Users::has_scram_verifiers() const {
  std::lock_guard lock(mutex_);
  return !verifiers_->by_name.empty();
}

ScramVerifier Users::scram_verifier(const std::string& name) const {
  std::shared_ptr<const Verifiers> verifiers;
  {
    std::lock_guard lock(mutex_);
    verifiers = verifiers_;
  }
  if (auto found = verifiers->by_name.find(name); found != verifiers->by_name.end()) return found->second;
  ScramVerifier decoy;
  const ScramVerifier* like = verifiers->by_name.empty() ? nullptr : &verifiers->by_name.begin()->second;
  decoy.iterations = like ? like->iterations : 4096;
  std::string key = verifiers->decoy_key.empty() ? key_ : verifiers->decoy_key;
  decoy.salt = hmac(key, "salt:" + name).substr(0, like ? std::min<size_t>(like->salt.size(), proof_bytes) : 16);
  decoy.stored_key = random_key();  // the hash of nothing that anybody knows
  decoy.server_key = random_key();
  return decoy;
}

std::string Users::proof_of(const std::string& name, const std::string& password, const std::string& hash) const {
  std::string text;
  for (const std::string* part : {&name, &password, &hash}) text.append(std::to_string(part->size()) + ":" + *part);
  std::string proof = hmac(key_, text);
  OPENSSL_cleanse(text.data(), text.size());
  return proof;
}

void Users::Hashes::spend_the_rest(std::string_view spent, const std::string& password) const {
  for (const auto& [effort, hash] : by_effort) {
    if (effort != spent) (void)is_password(hash, password);
  }
}

bool Users::check(const std::string& name, const std::string& password) {
  std::shared_ptr<const Hashes> hashes;
  std::string known;
  {
    std::lock_guard lock(mutex_);
    hashes = hashes_;
    if (auto proof = proofs_.find(name); proof != proofs_.end()) known = proof->second;
  }
  auto user = hashes->by_name.find(name);
  if (user == hashes->by_name.end()) {
    hashes->spend_the_rest("", password);
    return false;
  }
  std::string proof = proof_of(name, password, user->second);
  if (known.size() == proof.size() && CRYPTO_memcmp(known.data(), proof.data(), proof.size()) == 0) return true;
  if (!is_password(user->second, password)) {
    hashes->spend_the_rest(effort_of(user->second), password);
    return false;
  }
  std::lock_guard lock(mutex_);
  if (hashes == hashes_) proofs_[name] = std::move(proof);
  return true;
}

}  // namespace tidegate
