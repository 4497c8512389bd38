// SUBSCRIBE and UNSUBSCRIBE (MQTT 3.8, 3.10) and the retained messages that follow a subscription.
#pragma once

#include "gateway/broker/broker_types.h"
#include "gateway/broker/state.h"
#include "gateway/mqtt/packet.h"

namespace tidegate::broker::subscribe {

// not_now: it would be stored, and the store takes nothing now.
Taken subscribe(State& state, Connection& conn, const mqtt::Subscribe& packet);
Taken unsubscribe(State& state, Connection& conn, const mqtt::Unsubscribe& packet);

}  // namespace tidegate::broker::subscribe
