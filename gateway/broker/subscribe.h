// SUBSCRIBE and UNSUBSCRIBE (MQTT 3.8, 3.10) and the retained messages that follow a subscription.
#pragma once

#include "gateway/broker/state.h"
#include "gateway/mqtt/packet.h"

namespace tidegate::broker::subscribe {

void subscribe(State& state, Connection& conn, const mqtt::Subscribe& packet);
void unsubscribe(State& state, Connection& conn, const mqtt::Unsubscribe& packet);

}  // namespace tidegate::broker::subscribe
