#include "gateway/users.h"

#include <utility>

#include "gateway/passwords.h"

namespace tidegate {

void Users::set(const std::vector<config::User>& users) {
  auto hashes = std::make_shared<Hashes>();
  for (const config::User& user : users) hashes->emplace(user.name, user.password_hash.reveal());
  std::lock_guard lock(mutex_);
  hashes_ = std::move(hashes);
}

bool Users::check(const std::string& name, const std::string& password) const {
  std::shared_ptr<const Hashes> hashes;
  {
    std::lock_guard lock(mutex_);
    hashes = hashes_;
  }
  if (auto user = hashes->find(name); user != hashes->end()) return is_password(user->second, password);
  (void)hash_password(password);
  return false;
}

}  // namespace tidegate
