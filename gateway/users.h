// Who may log in: user names and their password hashes. Thread: any.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/config.h"

namespace tidegate {

class Users {
 public:
  void set(const std::vector<config::User>& users);
  // Takes as long for an unknown name as for a wrong password, so that names cannot be guessed by time.
  [[nodiscard]] bool check(const std::string& name, const std::string& password) const;

 private:
  using Hashes = std::map<std::string, std::string>;
  mutable std::mutex mutex_;
  std::shared_ptr<const Hashes> hashes_ = std::make_shared<const Hashes>();
};

}  // namespace tidegate
