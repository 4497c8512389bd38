// Who gets a topic: subscriptions of sessions and routes of bridges in one tree, one node per topic level.
//
// Sessions and routes belong to the caller, who takes them out before they go. Thread: the core's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/base/topic.h"
#include "gateway/broker/bridge_route.h"
#include "gateway/broker/session.h"

namespace tidegate::broker {

class Router {
 public:
  Router();
  ~Router();

  struct Member {
    Session* session = nullptr;
    Subscription subscription;
  };
  // Who shares one subscription: those who named the same group and the same filter (shared.h).
  struct Group {
    std::shared_ptr<const std::string> filter;  // $share/GROUP/FILTER
    std::vector<Member> members;
    size_t next = 0;  // whose turn it is
  };

  // Adds or replaces; a shared filter makes the session a member of its group. True: the session had no subscription to
  // that filter before.
  bool subscribe(Session& session, const TopicFilter& filter, Subscription subscription);
  // False: there was none.
  bool unsubscribe(Session& session, const TopicFilter& filter);
  void add_route(BridgeRoute& route);
  void remove_route(BridgeRoute& route);

  // A session appears once, however many of its filters match [MQTT-3.3.4-2]: with the highest QoS, and with all its
  // subscription identifiers as 5.0 properties in wire form.
  struct Match {
    Session* session = nullptr;
    Qos qos = Qos::at_most_once;
    bool retain_as_published = false;
    uint32_t subscription_id = 0;                               // the first one; further ones are in `more_ids`
    const std::shared_ptr<const std::string>* group = nullptr;  // as a member of that group; then it may appear again
  };
  struct Matches {
    std::vector<Match> sessions;
    std::vector<Group*> groups;
    std::vector<BridgeRoute*> routes;                     // by bridge, in the order of its rules
    std::vector<std::pair<uint32_t, uint32_t>> more_ids;  // (index into sessions, identifier)
  };
  // `publisher`: not matched by its own no-local subscriptions; nullptr: nobody. The result lives until the next call.
  const Matches& match(TopicName topic, const Session* publisher);

  // Of the last call of match, for who chooses members.
  [[nodiscard]] Matches& last_matches() { return matches_; }
  // The group of that shared filter; nullptr: it has no members.
  [[nodiscard]] Group* find_group(std::string_view filter);
  [[nodiscard]] bool has_groups() const { return groups_ > 0; }

  [[nodiscard]] size_t subscriptions() const { return subscriptions_; }
  // Those of them in groups.
  [[nodiscard]] size_t shared_subscriptions() const { return shared_subscriptions_; }

 private:
  struct Node;
  Node& make_path(std::string_view filter);
  bool join(Session& session, std::string_view filter, Subscription subscription);
  template <class Change>
  bool change_path(Node& node, std::string_view rest, bool done, const Change& change);
  void collect(const Node& node, std::string_view rest, bool done, bool wildcards_allowed);
  void take(const Node& node);

  std::unique_ptr<Node> root_;
  Matches matches_;
  const Session* publisher_ = nullptr;
  uint64_t publish_ = 0;
  size_t subscriptions_ = 0;
  size_t shared_subscriptions_ = 0;
  size_t groups_ = 0;
};

}  // namespace tidegate::broker
