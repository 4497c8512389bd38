// AUTH: authentication by a method of the client's choice, before CONNACK and again later (5.0, 3.15, 4.12).
#pragma once

#include "gateway/broker/state.h"
#include "gateway/mqtt/framer.h"
#include "gateway/mqtt/packet.h"

namespace tidegate::broker::authentication {

// A CONNECT with a method that is known. Its bytes are kept by the caller.
void begin(State& state, Connection& conn, const mqtt::Connect& packet);
// A packet before CONNACK: AUTH, or DISCONNECT; anything else ends the connection.
void packet_before_connack(State& state, Connection& conn, const mqtt::Frame& frame);
// AUTH of a client that is connected.
void packet(State& state, Connection& conn, const mqtt::Auth& packet);

}  // namespace tidegate::broker::authentication
