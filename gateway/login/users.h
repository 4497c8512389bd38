// Who may log in: user names and their password hashes. Thread: any.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/config.h"
#include "gateway/login/scram.h"

namespace tidegate {

class Users {
 public:
  Users();

  void set(const std::vector<config::User>& users);
  // Takes as long for an unknown name as for a wrong password, so that names cannot be guessed by time. A password that
  // was right before takes microseconds: when the power comes back, a thousand devices log in at once.
  [[nodiscard]] bool check(const std::string& name, const std::string& password);

  [[nodiscard]] bool has_scram_verifiers() const;
  // For a name without one: a verifier that nobody can prove, and that is the same at each call, also after a restart,
  // as long as the users are the same: it does not tell whether the name is known.
  [[nodiscard]] ScramVerifier scram_verifier(const std::string& name) const;

 private:
  struct Hashes {
    std::map<std::string, std::string> by_name;
    std::map<std::string, std::string, std::less<>> by_effort;  // one for each; see spend_the_rest
    // Takes as long as checking against one hash of each effort but `spent`: every log-in that fails takes the same.
    void spend_the_rest(std::string_view spent, const std::string& password) const;
  };
  // HMAC under a key of this process over name, password and hash: worth nothing elsewhere.
  [[nodiscard]] std::string proof_of(const std::string& name, const std::string& password,
                                     const std::string& hash) const;

  const std::string key_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Hashes> hashes_ = std::make_shared<const Hashes>();
  struct Verifiers {
    std::map<std::string, ScramVerifier> by_name;
    std::string decoy_key;  // from all verifiers: secret as they are
  };
  std::shared_ptr<const Verifiers> verifiers_ = std::make_shared<const Verifiers>();
  std::map<std::string, std::string> proofs_;  // by user name, of the password that was right last
};

}  // namespace tidegate
