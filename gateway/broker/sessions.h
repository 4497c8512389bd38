// The life of sessions: made, made durable, ended, and what the store knows of them (MQTT 3.1.2.4, 3.1.2.11.2, 4.1).
#pragma once

#include <string>
#include <string_view>

#include "gateway/broker/state.h"

namespace tidegate::broker::sessions {

[[nodiscard]] Session* find(State& state, const std::string& client_id);
// REQUIRES: there is no session of that id.
Session& create(State& state, const std::string& client_id);
// Gives the session a queue in the store, if it has none.
void make_durable(State& state, Session& session);
// Puts the session's record; `connected` tells whether it has a connection now.
void store_record(State& state, Session& session, bool connected);
// Ends it: a will still waiting fires, subscriptions, queue and records go. `session` is gone afterwards.
void end(State& state, Session& session);
// Its connection has ended: it ends at once or its time begins to run.
void detach(State& state, Session& session);

// Adds a subscription to session and router. True: it is new.
bool subscribe(State& state, Session& session, const TopicFilter& filter, Subscription subscription);
// False: there was none.
bool unsubscribe(State& state, Session& session, const TopicFilter& filter);

}  // namespace tidegate::broker::sessions
