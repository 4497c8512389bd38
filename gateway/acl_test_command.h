// `tidegate acl-test`: may this client do that, and by which rule.
#pragma once

#include <string>

namespace tidegate {

struct AclTestOptions {
  std::string config_file;
  std::string user;  // "-": without a user name
  std::string client_id;
  std::string action;  // "read" or "write"
  std::string topic;   // for read also a filter, as in a subscription
};

// Exit code: success = yes, refused = no.
[[nodiscard]] int acl_test(const AclTestOptions& options);

}  // namespace tidegate
