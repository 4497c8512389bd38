// What goes to bridges: their out rules in the router, and their queues and lanes for QoS 0.
#pragma once

#include <memory>
#include <vector>

#include "gateway/broker/bridge_route.h"
#include "gateway/broker/router.h"
#include "gateway/broker/state.h"

namespace tidegate::broker::bridge_routes {

// Both have the retained messages that match a new out rule queued, once: a rule is new if `known_rules` or the rules
// before have none with the same topics on both sides. What stands in the queue already stays as it is.
void attach(State& state, std::unique_ptr<BridgeEnd> bridge);
void replace(State& state, BridgeId bridge, std::vector<BridgeRoute> routes);

// Whether a message of this QoS waits in the queue, as an obligation, rather than pass by the lane.
[[nodiscard]] bool is_queued(const BridgeRoute& route, Qos qos);

// `in_store`: the store takes obligations. Without it, QoS 0 goes on to bridges whose link is up.
void give(State& state, BridgeRoute& route, const store::MessageView& message, bool in_store);

// The first route of each bridge sends the message; nothing goes back to the bridge that it came from, and the gateway's
// own word to none.
template <class Visit>
void for_each_bridge(const Router::Matches& matches, BridgeId from, const Visit& visit) {
  if (from == gateway_itself) return;
  const BridgeEnd* before = nullptr;
  for (BridgeRoute* route : matches.routes) {
    if (route->owner == before) continue;
    before = route->owner;
    if (route->owner->id != from) visit(*route);
  }
}

}  // namespace tidegate::broker::bridge_routes
