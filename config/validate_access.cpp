#include "config/node.h"
#include "config/validate.h"
#include "gateway/access/password_file.h"

namespace tidegate::config {
namespace {

void check_users(const Config& config, Findings& findings) {
  const auto& users = config.access.users;
  for (size_t j = 0; j < users.size(); ++j) {
    std::string at = child_pointer("/access/users", j);
    for (size_t i = 0; i < j; ++i)
      if (users[i].name == users[j].name && !users[j].name.empty())
        findings.error(at + "/name",
                       "the user stands in " + findings.line_of(child_pointer("/access/users", i), at) + " already");
    if (users[j].password_hash.empty()) continue;
    std::string wrong = access::form_of(users[j].password_hash.reveal()).problem;
    if (!wrong.empty()) findings.error(at + "/password_hash", wrong + "; make one with: tidegate passwd");
  }
}

void check_acl(const Config& config, Findings& findings) {
  for (size_t i = 0; i < config.access.acl.size(); ++i) {
    const AclEntry& entry = config.access.acl[i];
    std::string at = child_pointer("/access/acl", i);
    if (entry.anonymous != entry.user.empty())
      findings.error(at, "expected \"user\": \"NAME\" (\"*\": everybody) or \"anonymous\": true, and not both",
                     {at + "/user", at + "/anonymous"});
    if (!entry.topic.empty() && !access::is_acl_topic(entry.topic))
      findings.error(at + "/topic", "expected a topic filter, found \"" + entry.topic + "\"");
  }
}

}  // namespace

void validate_access(const Config& config, Findings& findings) {
  check_users(config, findings);
  check_acl(config, findings);
}

}  // namespace tidegate::config
