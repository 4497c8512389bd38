#include "gateway/broker/bridge_routes.h"

#include <algorithm>
#include <utility>

#include "store/keys.h"

namespace tidegate::broker::bridge_routes {
namespace {

store::BridgeRule rule_of(const BridgeRoute& route) {
  return {route.filter.text(), route.remote};
}

void append(State& state, BridgeRoute& route, store::MessageView message, std::string_view remote_topic) {
  message.topic = remote_topic;
  message.retain = message.retain && route.keep_retain;
  message.qos = message.qos == Qos::at_most_once ? Qos::at_least_once : lower(message.qos, route.qos_max);
  route.owner->out.append(state.batch, message);
  route.owner->dirty = true;
}

const BridgeRoute* first_match(const BridgeEnd& bridge, TopicName topic) {
  for (const BridgeRoute& route : bridge.routes) {
    if (route.filter.matches(topic)) return &route;
  }
  return nullptr;
}

// A retained message is on disk whatever its QoS: it is queued under a rule that knows more than QoS 0.
void queue_retained(State& state, BridgeRoute& route) {
  if (route.qos_max == Qos::at_most_once) return;
  state.retained.for_each(route.filter, [&](const MessagePtr& message) {
    if (message->from_bridge == gateway_itself || message->from_bridge == route.owner->id) return;
    if (message->expires <= state.now.wall) return;
    TopicName local = *TopicName::parse(message->topic);
    if (first_match(*route.owner, local) != &route) return;
    if (auto topic = route.map(local)) append(state, route, store::view_of(*message), *topic);
  });
}

void set_routes(State& state, BridgeEnd& bridge, std::vector<BridgeRoute> routes) {
  for (BridgeRoute& route : bridge.routes) state.router.remove_route(route);
  bridge.routes = std::move(routes);
  std::vector<store::BridgeRule> rules;
  for (BridgeRoute& route : bridge.routes) {
    route.owner = &bridge;
    state.router.add_route(route);
    rules.push_back(rule_of(route));
  }
  if (rules == bridge.known_rules || state.store.messages == StoreState::refusing) return;  // then at the next start
  for (size_t i = 0; i < rules.size(); ++i) {
    const auto& known = bridge.known_rules;
    if (std::find(known.begin(), known.end(), rules[i]) == known.end()) queue_retained(state, bridge.routes[i]);
  }
  state.batch.put(store::Table::state, store::bridge_rules_key(bridge.out.id()), store::encode(rules));
  bridge.known_rules = std::move(rules);
}

}  // namespace

void attach(State& state, std::unique_ptr<BridgeEnd> bridge) {
  set_routes(state, *bridge, std::exchange(bridge->routes, {}));
  state.bridges.push_back(std::move(bridge));
}

void replace(State& state, BridgeId id, std::vector<BridgeRoute> routes) {
  for (const auto& bridge : state.bridges) {
    if (bridge->id == id) return set_routes(state, *bridge, std::move(routes));
  }
}

bool is_queued(const BridgeRoute& route, Qos qos) {
  return route.qos_max != Qos::at_most_once && (qos != Qos::at_most_once || route.queue_qos0);
}

void give(State& state, BridgeRoute& route, const store::MessageView& message, bool in_store) {
  std::optional<std::string> topic = route.map(*TopicName::parse(message.topic));
  if (!topic) {
    ++state.counters.dropped_bridge_topic;
  } else if (!is_queued(route, message.qos)) {
    store::MessageView remote = message;
    remote.topic = *topic;
    remote.retain = message.retain && route.keep_retain;
    remote.qos = Qos::at_most_once;
    (void)route.owner->offer_qos0(std::make_shared<const Message>(store::to_message(remote)));
  } else if (!in_store) {
    ++state.counters.refused_store;
  } else {
    append(state, route, message, *topic);
  }
}

}  // namespace tidegate::broker::bridge_routes
