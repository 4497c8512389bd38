#include "gateway/broker/wills.h"

#include <algorithm>

#include "gateway/broker/authorize.h"
#include "gateway/broker/publish.h"
#include "store/keys.h"
#include "store/records.h"

namespace tidegate::broker::wills {
namespace {

// `due`: never while its client is connected.
void store_record(State& state, const Session& session, WallTime due) {
  store::WillRecord record{store::view_of(*session.will->message), session.will->delay_seconds, session.expiry_seconds,
                           due};
  state.batch.put(store::Table::state, store::will_key(session.client_id), store::encode(record));
}

void wait(State& state, const Session& session) {
  state.deadlines.add(Deadline::of_client(session.will->fires, Deadline::Kind::will, session.client_id));
}

}  // namespace

void set(State& state, Session& session, const std::optional<mqtt::Will>& will) {
  if (!will) return discard(state, session);
  auto message = std::make_shared<Message>();
  message->topic = will->topic;
  message->payload = will->payload;
  message->qos = will->qos;
  message->retain = will->retain;
  message->received = state.now.wall;
  mqtt::append_forwarded(will->properties, message->properties);
  uint32_t delay = will->properties.integer(mqtt::PropertyId::will_delay_interval).value_or(0);
  // Its expiry runs from the publication on; kept as an interval until then.
  if (auto expiry = will->properties.integer(mqtt::PropertyId::message_expiry_interval)) {
    message->expires = WallTime{Seconds{*expiry}};
  }
  session.will = std::make_unique<Will>(Will{std::move(message), delay, Instant::never()});
  store_record(state, session, WallTime::never());
}

void discard(State& state, Session& session) {
  if (!session.will) return;
  session.will.reset();
  state.batch.erase(store::Table::state, store::will_key(session.client_id));
}

void connection_lost(State& state, Session& session) {
  if (!session.will) return;
  // 3.1.3.2.2: after the delay or with the session, whichever is first; a session that ends now fires it itself.
  uint32_t delay = std::min(session.will->delay_seconds, session.expiry_seconds);
  if (delay == 0) return fire(state, session);
  session.will->fires = state.now.mono + Seconds{delay};
  store_record(state, session, state.now.wall + Seconds{delay});
  wait(state, session);
}

void restored(State& state, Session& session, std::unique_ptr<Will> will) {
  session.will = std::move(will);
  if (session.will->fires == Instant::never()) return connection_lost(state, session);
  if (session.will->fires <= state.now.mono) return fire(state, session);
  wait(state, session);
}

void fire(State& state, Session& session) {
  std::unique_ptr<Will> will = std::move(session.will);
  state.batch.erase(store::Table::state, store::will_key(session.client_id));
  if (!authorize::may_write(session, will->message->topic)) {
    ++state.counters.dropped_not_allowed;
    return;
  }
  Message message = *will->message;
  message.received = state.now.wall;
  if (message.expires != WallTime::never()) message.expires = state.now.wall + message.expires.since_epoch;
  publish::route(state, store::view_of(message), &session);
}

}  // namespace tidegate::broker::wills
