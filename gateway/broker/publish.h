// A message comes in and is routed: PUBLISH of a client (MQTT 3.3), of a bridge, of a will, of the gateway itself.
#pragma once

#include <optional>

#include "gateway/broker/broker_types.h"
#include "gateway/broker/state.h"
#include "gateway/mqtt/decode.h"
#include "gateway/mqtt/packet.h"
#include "store/records.h"

namespace tidegate::broker::publish {

// Routes to sessions and bridges and retains. What it promises stands in this turn's batch. The gateway's own messages
// (`from_bridge`) are retained in memory alone and go to no bridge. `publisher`: for no-local; nullptr: not a client.
struct Routed {
  bool obligation = false;  // something in the batch keeps a promise to the publisher
  bool anybody = false;     // some session or bridge matched
};
Routed route(State& state, const store::MessageView& message, const Session* publisher);

// Retained messages that have expired go, from the store as well: looked for once a minute while there are any that will.
void watch_retained(State& state);
void end_expired_retained(State& state);

// Whether it is a topic that clients publish to, by themselves or by a will; whether this one may is the topic rules'
// to say.
[[nodiscard]] bool is_for_clients(const Connection& conn, std::string_view topic);

// 5.0: puts the topic of an alias into the packet, or learns it (3.3.2.3.4). An answer: what no client may say here.
[[nodiscard]] std::optional<mqtt::DecodeError> resolve_properties(Connection& conn, mqtt::Publish& packet);

// What the listener does not take: its connection ends by that (3.2.2.3.4, 3.2.2.3.5).
[[nodiscard]] std::optional<mqtt::DecodeError> refused_by_listener(const Connection& conn, const mqtt::Publish& packet);

// Whether our Receive Maximum has room for one more (4.9). Clients that send on regardless are about: such a one is not
// read while an answer to it waits for the disk. Where all that is open waits for the client itself, for its PUBRELs, it
// would wait for ever: they stand behind the packet that is not taken.
enum class Quota : uint8_t { free, answers_on_their_way, exceeded };
[[nodiscard]] Quota quota(const State& state, const Connection& conn, const mqtt::Publish& packet);

// Whether the bytes are the last answer of an exchange that a client has begun: PUBACK, PUBCOMP, or a PUBREC that refuses.
[[nodiscard]] bool ends_exchange(std::string_view packet);

// PUBLISH and PUBREL of a client.
Taken publish(State& state, Connection& conn, const mqtt::Publish& packet);
void release(State& state, Connection& conn, const mqtt::Ack& pubrel);

}  // namespace tidegate::broker::publish
