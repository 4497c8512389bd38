// What a session's client may do, by the topic rules. Without rules, everything.
//
// A session that came from the store has no rights until its client is back: what it is owed waits for it meanwhile, and
// is looked at before it is sent.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "gateway/broker/state.h"

namespace tidegate::broker::authorize {

// The client of the session has proved who it is. No name: anonymous.
void identify(State& state, Session& session, std::optional<std::string_view> username);
// Other rules for everybody; none: everybody may do everything.
void rules_changed(State& state, std::shared_ptr<const access::Acl> acl);

// A client that is not connected yet. REQUIRES, here and below: a valid topic name.
[[nodiscard]] bool may_write(const State& state, const access::Identity& identity, std::string_view topic);

[[nodiscard]] inline bool may_write(Session& session, std::string_view topic) {
  return !session.rights || session.rights->may(access::Action::write, *TopicName::parse(topic));
}
[[nodiscard]] inline bool may_read(Session& session, std::string_view topic) {
  return !session.rights || session.rights->may(access::Action::read, *TopicName::parse(topic));
}
// False: nothing that the filter matches may be read.
[[nodiscard]] inline bool may_subscribe(const Session& session, const TopicFilter& filter) {
  return !session.rights || session.rights->may_subscribe(filter);
}

}  // namespace tidegate::broker::authorize
