// CONNECT, its answer, and the end of a connection (MQTT 3.1, 3.2, 3.14).
#pragma once

#include "gateway/broker/broker_types.h"
#include "gateway/broker/state.h"
#include "gateway/mqtt/decode.h"
#include "gateway/mqtt/framer.h"
#include "gateway/mqtt/packet.h"

namespace tidegate::broker::connect {

// What has come of the first packet, one byte at least: who begins with something else than CONNECT is not waited for.
void first_bytes(State& state, Connection& conn, std::string_view bytes);
// The first packet of a connection.
void first_packet(State& state, Connection& conn, const mqtt::Frame& frame);
// A packet before CONNACK that is wrong in itself: closed, and 5.0 is told by which code [MQTT-3.1.0-1], 3.1.4. Without
// words, for what it takes of them may not be known.
void refuse_packet(State& state, Connection& conn, const mqtt::DecodeError& wrong, bool speaks_v5);
// Answer to Output::check_credentials.
void credentials_checked(State& state, Connection& conn, bool right);
// Answer to Output::ask_to_authenticate.
void may_authenticate(State& state, Connection& conn);
// To either of them: not now. Nothing is said of the password.
void too_busy_to_check(State& state, Connection& conn);
// The end of an authentication before CONNACK.
void authenticated(State& state, Connection& conn, bool right);
// The store takes control records again, or no longer: CONNECTs that waited for it are answered.
void store_changed(State& state);
// DISCONNECT of the client.
void disconnect(State& state, Connection& conn, const mqtt::Disconnect& packet);
// The gateway ends the connection: 5.0 is told why; a will fires. `conn` is gone afterwards.
void kick(State& state, Connection& conn, mqtt::ReasonCode reason, std::string_view why);
// The socket is gone. `conn` is gone afterwards.
void lost(State& state, Connection& conn, std::string_view why);

}  // namespace tidegate::broker::connect
