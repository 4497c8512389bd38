#include "gateway/broker/router.h"

#include <algorithm>

#include "gateway/broker/shared_filter.h"

namespace tidegate::broker {
namespace {

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

}  // namespace

struct Router::Node {
  std::unordered_map<std::string, std::unique_ptr<Node>, TextHash, std::equal_to<>> children;
  std::unique_ptr<Node> plus;
  std::unique_ptr<Node> hash;
  std::vector<Member> entries;
  std::vector<std::unique_ptr<Group>> groups;
  std::vector<BridgeRoute*> routes;

  [[nodiscard]] bool is_empty() const {
    return entries.empty() && groups.empty() && routes.empty() && children.empty() && !plus && !hash;
  }
  [[nodiscard]] auto group(std::string_view filter) {
    return std::find_if(groups.begin(), groups.end(), [&](const auto& group) { return *group->filter == filter; });
  }
  std::unique_ptr<Node>& child(std::string_view level) {
    if (level == "+") return plus;
    if (level == "#") return hash;
    auto found = children.find(level);
    return found != children.end() ? found->second : children.emplace(level, nullptr).first->second;
  }
};

namespace {

// True: it is new.
bool add(std::vector<Router::Member>& members, Session& session, Subscription subscription) {
  for (Router::Member& member : members) {
    if (member.session != &session) continue;
    member.subscription = subscription;
    return false;
  }
  members.push_back({&session, subscription});
  return true;
}

bool take_out(std::vector<Router::Member>& members, const Session& session) {
  return std::erase_if(members, [&](const Router::Member& member) { return member.session == &session; }) > 0;
}

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

Router::Node& Router::make_path(std::string_view filter) {
  Node* node = root_.get();
  for (bool done = false; !done;) {
    std::unique_ptr<Node>& child = node->child(next_level(filter, done));
    if (!child) child = std::make_unique<Node>();
    node = child.get();
  }
  return *node;
}

bool Router::subscribe(Session& session, const TopicFilter& filter, Subscription subscription) {
  bool shared = is_shared(filter.text());
  bool is_new = shared ? join(session, filter.text(), subscription)
                       : add(make_path(filter.text()).entries, session, subscription);
  if (is_new) ++subscriptions_;
  if (is_new && shared) ++shared_subscriptions_;
  return is_new;
}

bool Router::join(Session& session, std::string_view filter, Subscription subscription) {
  Node& node = make_path(split_shared(filter).value().filter);
  auto group = node.group(filter);
  if (group == node.groups.end()) {
    ++groups_;
    group = node.groups.insert(group, std::make_unique<Group>());
    (*group)->filter = std::make_shared<const std::string>(filter);
  }
  return add((*group)->members, session, subscription);
}

Router::Group* Router::find_group(std::string_view filter) {
  auto shared = split_shared(filter);
  Group* found = nullptr;
  if (!shared) return found;
  change_path(*root_, shared->filter, false, [&](Node& node) {
    if (auto group = node.group(filter); group != node.groups.end()) found = group->get();
    return false;
  });
  return found;
}

// Applies `change` to the node of the filter and takes nodes out that are empty afterwards.
template <class Change>
bool Router::change_path(Node& node, std::string_view rest, bool done, const Change& change) {
  if (done) return change(node);
  std::string_view level = next_level(rest, done);
  std::unique_ptr<Node>* child = nullptr;
  auto named = node.children.end();
  if (level == "+") {
    child = &node.plus;
  } else if (level == "#") {
    child = &node.hash;
  } else if (named = node.children.find(level); named != node.children.end()) {
    child = &named->second;
  }
  if (!child || !*child) return false;
  bool changed = change_path(**child, rest, done, change);
  if ((*child)->is_empty()) {
    if (named != node.children.end()) {
      node.children.erase(named);
    } else {
      child->reset();
    }
  }
  return changed;
}

bool Router::unsubscribe(Session& session, const TopicFilter& filter) {
  auto shared = split_shared(filter.text());
  bool removed = change_path(*root_, shared ? shared->filter : filter.text(), false, [&](Node& node) {
    if (!shared) return take_out(node.entries, session);
    auto group = node.group(filter.text());
    if (group == node.groups.end() || !take_out((*group)->members, session)) return false;
    if ((*group)->members.empty()) {
      node.groups.erase(group);
      --groups_;
    }
    return true;
  });
  if (removed) --subscriptions_;
  if (removed && shared) --shared_subscriptions_;
  return removed;
}

void Router::add_route(BridgeRoute& route) {
  make_path(route.filter.text()).routes.push_back(&route);
}

void Router::remove_route(BridgeRoute& route) {
  change_path(*root_, route.filter.text(), false, [&](Node& node) { return std::erase(node.routes, &route) > 0; });
}

const Router::Matches& Router::match(TopicName topic, const Session* publisher) {
  matches_.sessions.clear();
  matches_.groups.clear();
  matches_.routes.clear();
  matches_.more_ids.clear();
  publisher_ = publisher;
  ++publish_;
  collect(*root_, topic.text(), false, !topic.is_reserved());  // [MQTT-4.7.2-1]
  if (matches_.routes.size() > 1) {
    std::sort(matches_.routes.begin(), matches_.routes.end(), [](const BridgeRoute* a, const BridgeRoute* b) {
      return std::pair(a->owner->id, a->rule) < std::pair(b->owner->id, b->rule);
    });
  }
  return matches_;
}

void Router::collect(const Node& node, std::string_view rest, bool done, bool wildcards_allowed) {
  if (wildcards_allowed && node.hash) take(*node.hash);
  if (done) return take(node);
  std::string_view level = next_level(rest, done);
  if (auto child = node.children.find(level); child != node.children.end()) collect(*child->second, rest, done, true);
  if (wildcards_allowed && node.plus) collect(*node.plus, rest, done, true);
}

void Router::take(const Node& node) {
  matches_.routes.insert(matches_.routes.end(), node.routes.begin(), node.routes.end());
  for (const auto& group : node.groups) matches_.groups.push_back(group.get());
  for (const auto& [session, subscription] : node.entries) {
    const mqtt::SubscribeOptions& options = subscription.options;
    if (options.no_local && session == publisher_) continue;  // [MQTT-3.8.3-3]
    if (session->matched_by != publish_) {
      session->matched_by = publish_;
      session->matched_at = static_cast<uint32_t>(matches_.sessions.size());
      matches_.sessions.push_back({session, options.qos, options.retain_as_published, subscription.id, nullptr});
      continue;
    }
    Match& match = matches_.sessions[session->matched_at];
    match.qos = std::max(match.qos, options.qos);
    match.retain_as_published |= options.retain_as_published;
    if (subscription.id == 0) continue;
    if (match.subscription_id == 0) {
      match.subscription_id = subscription.id;
    } else {
      matches_.more_ids.emplace_back(session->matched_at, subscription.id);
    }
  }
}

}  // namespace tidegate::broker
