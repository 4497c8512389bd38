// Wills (MQTT 3.1.2.5): stored with the connection, deleted by DISCONNECT, fired by every other end, also by a crash of
// the gateway.
#pragma once

#include "gateway/broker/state.h"
#include "gateway/mqtt/packet.h"

namespace tidegate::broker::wills {

// The will of a new connection, or none; what an earlier connection left is cancelled.
void set(State& state, Session& session, const std::optional<mqtt::Will>& will);
// DISCONNECT with reason 0: the will is deleted unpublished [MQTT-3.1.2-10].
void discard(State& state, Session& session);
// The connection ended without that: the will fires now, or after its delay.
void connection_lost(State& state, Session& session);
// As the store had it, after a restart: a connection that stood then is lost now, and who waited goes on waiting.
void restored(State& state, Session& session, std::unique_ptr<Will> will);
// Publishes the will and deletes it, in one batch.
void fire(State& state, Session& session);

}  // namespace tidegate::broker::wills
