#include "gateway/access/acl.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace tidegate::access {
namespace {

bool allows(Permission permission, Action action) {
  switch (permission) {
    case Permission::readwrite: return true;
    case Permission::read: return action == Action::read;
    case Permission::write: return action == Action::write;
    case Permission::deny: return false;
  }
  return false;
}

bool speaks_of(const AclRule& rule, const Identity& identity) {
  switch (rule.who) {
    case AclRule::Who::everybody: return true;
    case AclRule::Who::anonymous: return !identity.username;
    case AclRule::Who::user: return identity.username == rule.user;
  }
  return false;
}

// Nothing: the value is missing where it is asked for, or has a wildcard in it.
std::optional<std::string> fill_in(std::string_view topic, const Identity& identity) {
  std::string out;
  for (size_t i = 0; i < topic.size(); ++i) {
    char next = i + 1 < topic.size() ? topic[i + 1] : '\0';
    if (topic[i] != '%' || (next != 'u' && next != 'c')) {
      out.push_back(topic[i]);
      continue;
    }
    if (next == 'u' && !identity.username) return {};
    const std::string& value = next == 'u' ? *identity.username : identity.client_id;
    if (value.find_first_of("+#") != std::string::npos) return {};
    out.append(value);
    ++i;
  }
  return out;
}

}  // namespace

bool is_acl_topic(std::string_view topic) {
  auto filled = fill_in(topic, {"u", "c"});
  return filled && TopicFilter::parse(*filled);
}

std::shared_ptr<const Acl> Acl::make(std::vector<AclRule> rules) {
  return std::shared_ptr<const Acl>(new Acl(std::move(rules)));
}

Rights Acl::rights_of(const Identity& identity) const {
  Rights rights(shared_from_this());
  for (const AclRule& rule : rules_) {
    if (!speaks_of(rule, identity)) continue;
    auto topic = fill_in(rule.topic, identity);
    if (!topic) continue;
    if (auto filter = TopicFilter::parse(*topic)) rights.rules_.push_back({std::move(*filter), &rule});
  }
  std::stable_partition(rights.rules_.begin(), rights.rules_.end(),
                        [](const Rights::Rule& rule) { return rule.rule->permission == Permission::deny; });
  return rights;
}

Rights::Answer Rights::why(Action action, TopicName topic) const {
  for (const Rule& rule : rules_) {
    bool denies = rule.rule->permission == Permission::deny;
    if ((denies || allows(rule.rule->permission, action)) && rule.filter.matches(topic)) return {!denies, rule.rule};
  }
  return {};
}

bool Rights::may(Action action, TopicName topic) {
  auto& remembered = remembered_[static_cast<size_t>(action)];
  if (!remembered) remembered = std::make_unique<std::array<Remembered, remembered_max>>();
  Remembered& place = (*remembered)[std::hash<std::string_view>{}(topic.text()) % remembered_max];
  if (place.topic != topic.text()) {
    place.topic = topic.text();
    place.allowed = why(action, topic).allowed;
  }
  return place.allowed;
}

bool Rights::may_subscribe(const TopicFilter& filter) const {
  bool readable = false;
  for (const Rule& rule : rules_) {
    if (rule.rule->permission == Permission::deny) {
      if (rule.filter.covers(filter)) return false;
    } else if (allows(rule.rule->permission, Action::read)) {
      readable = readable || rule.filter.overlaps(filter);
    }
  }
  return readable;
}

}  // namespace tidegate::access
