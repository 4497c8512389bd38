// Shared subscriptions (5.0, 4.8.2): each message for a group goes to one of its members, and stands in that member's
// queue alone (ARCHITECTURE.md, invariant 2).
//
// Members take turns: one that is connected and has room before one that is connected, before one that is away with a
// kept session. What nobody may or can have is not kept. A member's messages stay its own while its session stands; when
// that ends, the others get what it has not acknowledged: one batch takes each record out of the old queue and puts it
// into the new one. A QoS 2 message that was begun goes to nobody else [MQTT-4.8.2-5].
//
// An estate is the queue of an ended session whose records are being handed over. It is read as a session's queue is,
// after the batch that made it, and is in the store until it is empty: a crash goes on with it.
#pragma once

#include <vector>

#include "gateway/broker/state.h"
#include "store/records.h"
#include "store/store.h"

namespace tidegate::broker::shared {

// Adds one member of each group that State::router has just matched to its matches.
void choose(State& state, const store::MessageView& message);

// The session ends, has left all its groups and is not connected any more. REQUIRES: no queue in the store.
void hand_over(State& state, Session& session);
// The same for one with a queue: true if that has become an estate; false: there is nothing to hand over.
[[nodiscard]] bool leave_estate(State& state, Session& session);

// Reads on in the estates that can be read now.
void settle_estates(State& state);
// Answers to Output::read_queue. False: not the queue of an estate.
[[nodiscard]] bool records_read(State& state, QueueId queue, const std::vector<store::QueueRecord>& records);
[[nodiscard]] bool read_failed(State& state, QueueId queue);

}  // namespace tidegate::broker::shared
