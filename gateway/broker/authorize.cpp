#include "gateway/broker/authorize.h"

#include <string>
#include <utility>

namespace tidegate::broker::authorize {
namespace {

void find_rights(const State& state, Session& session) {
  session.rights.reset();
  if (!state.acl || !session.is_identified) return;
  access::Identity identity{std::nullopt, session.client_id};
  if (session.username) identity.username = *session.username;
  session.rights = std::make_unique<access::Rights>(state.acl->rights_of(identity));
}

}  // namespace

void identify(State& state, Session& session, std::optional<std::string_view> username) {
  session.username = username ? std::make_unique<std::string>(*username) : nullptr;
  session.is_identified = true;
  find_rights(state, session);
}

void rules_changed(State& state, std::shared_ptr<const access::Acl> acl) {
  state.acl = std::move(acl);
  for (auto& [id, session] : state.sessions) find_rights(state, *session);
}

bool may_write(const State& state, const access::Identity& identity, std::string_view topic) {
  return !state.acl || state.acl->rights_of(identity).may(access::Action::write, *TopicName::parse(topic));
}

}  // namespace tidegate::broker::authorize
