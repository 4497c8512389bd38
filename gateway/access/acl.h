// Who may read and write which topics. Pure.
//
// No Acl: whoever may log in may do everything. With one, what no rule allows is refused, and a rule that denies beats
// every rule that allows; the order of rules has no meaning. `#` and `+` at the start of a rule never cover topics that
// begin with $ [MQTT-4.7.2-1].
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/topic.h"

namespace tidegate::access {

enum class Permission : uint8_t { read, write, readwrite, deny };
enum class Action : uint8_t { read, write };

struct AclRule {
  enum class Who : uint8_t { user, everybody, anonymous };
  Who who = Who::everybody;
  std::string user{};  // of Who::user
  Permission permission = Permission::readwrite;
  std::string topic{};  // a filter; %u stands for the user name, %c for the client id
  std::string place{};  // where it is written, for people: "acl:12", "/access/acl/3"

  friend bool operator==(const AclRule&, const AclRule&) = default;
};

// A valid filter, with %u and %c in it or not.
[[nodiscard]] bool is_acl_topic(std::string_view topic);

struct Identity {
  std::optional<std::string> username;
  std::string client_id;
};

class Acl;

// The rules that speak of one client, with %u and %c filled in. Remembers its latest answers, so that a device that
// publishes to a few topics costs a comparison. Thread: one at a time.
class Rights {
 public:
  struct Answer {
    bool allowed = false;
    const AclRule* by = nullptr;  // none: no rule speaks of it, so it is refused
  };
  [[nodiscard]] bool may(Action action, TopicName topic);
  [[nodiscard]] Answer why(Action action, TopicName topic) const;
  // False: no topic that the filter matches may be read.
  [[nodiscard]] bool may_subscribe(const TopicFilter& filter) const;

 private:
  friend class Acl;
  struct Rule {
    TopicFilter filter;
    const AclRule* rule;
  };
  struct Remembered {
    std::string topic;
    bool allowed = false;
  };
  explicit Rights(std::shared_ptr<const Acl> acl) : acl_(std::move(acl)) {}

  std::shared_ptr<const Acl> acl_;  // owns the rules
  std::vector<Rule> rules_;         // those that deny first
  static constexpr size_t remembered_max = 8;
  std::array<std::unique_ptr<std::array<Remembered, remembered_max>>, 2> remembered_;  // by action
};

class Acl : public std::enable_shared_from_this<Acl> {
 public:
  // REQUIRES: is_acl_topic of every rule's topic.
  [[nodiscard]] static std::shared_ptr<const Acl> make(std::vector<AclRule> rules);
  // A rule whose %u or %c would become a wildcard does not speak of that client (CVE-2017-7650), nor does one with %u
  // of a client without a user name.
  [[nodiscard]] Rights rights_of(const Identity& identity) const;
  [[nodiscard]] const std::vector<AclRule>& rules() const { return rules_; }

 private:
  explicit Acl(std::vector<AclRule> rules) : rules_(std::move(rules)) {}
  std::vector<AclRule> rules_;
};

}  // namespace tidegate::access
