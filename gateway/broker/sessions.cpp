#include "gateway/broker/sessions.h"

#include "gateway/broker/shared.h"
#include "gateway/broker/subscription_options.h"
#include "gateway/broker/wills.h"
#include "store/keys.h"
#include "store/queue.h"
#include "store/records.h"

namespace tidegate::broker::sessions {

using store::Table;

Session* find(State& state, const std::string& client_id) {
  auto found = state.sessions.find(client_id);
  return found == state.sessions.end() ? nullptr : found->second.get();
}

Session& create(State& state, const std::string& client_id) {
  auto session = std::make_unique<Session>();
  session->client_id = client_id;
  auto [place, is_new] = state.sessions.emplace(client_id, std::move(session));
  TIDEGATE_CHECK(is_new);
  return *place->second;
}

void make_durable(State& state, Session& session) {
  if (session.durable) return;
  QueueId queue = state.new_queue_id();
  session.durable =
      std::make_unique<Durable>(Durable{store::QueueAppender(queue, {}), store::QueueRemover(queue, {}), Seq{1}});
  state.sessions_by_queue.emplace(queue, &session);
  state.touch(session);
}

void store_record(State& state, Session& session, bool connected) {
  const Durable& durable = *session.durable;
  store::SessionRecord record{durable.appender.id(), session.protocol_version, session.expiry_seconds,
                              connected ? WallTime::never() : state.now.wall, durable.sent_below};
  state.batch.put(Table::state, store::session_key(session.client_id), store::encode(record));
  state.touch(session);
}

void end(State& state, Session& session) {
  if (session.will) wills::fire(state, session);  // 3.1.2.5: no later than the session [MQTT-3.1.3-9]
  for (const auto& [filter, subscription] : session.subscriptions) {
    state.router.unsubscribe(session, *TopicFilter::parse(filter));
    if (session.durable)
      state.batch.erase(Table::state, store::subscription_key(session.durable->appender.id(), filter));
  }
  if (session.durable) {
    QueueId queue = session.durable->appender.id();
    for (uint16_t id : session.receipts ? *session.receipts : std::vector<uint16_t>{}) {
      state.batch.erase(Table::state, store::receipt_key(queue, id));
    }
    if (session.outgoing) {
      for (const Inflight& entry : session.outgoing->inflight) {
        state.batch.erase(Table::state, store::inflight_key(queue, entry.packet_id));
      }
    }
    if (!shared::leave_estate(state, session)) store::erase_queue(state.batch, queue);
    state.batch.erase(Table::state, store::session_key(session.client_id));
    std::erase(state.dirty, &session);
    state.sessions_by_queue.erase(queue);
  } else {
    shared::hand_over(state, session);
  }
  state.sessions.erase(session.client_id);
}

void detach(State& state, Session& session) {
  session.conn = {};
  if (session.expiry_seconds == 0) return end(state, session);
  store_record(state, session, false);
  if (session.expiry_seconds == 0xFFFFFFFF) {
    session.expires = Instant::never();
  } else {
    session.expires = state.now.mono + Seconds{session.expiry_seconds};
    state.deadlines.add(Deadline::of_client(session.expires, Deadline::Kind::session_expiry, session.client_id));
  }
}

bool subscribe(State& state, Session& session, const TopicFilter& filter, Subscription subscription) {
  session.subscriptions.insert_or_assign(filter.text(), subscription);
  if (session.durable) {
    state.batch.put(Table::state, store::subscription_key(session.durable->appender.id(), filter.text()),
                    store::encode(store::SubscriptionRecord{to_wire(subscription.options), subscription.id}));
    state.touch(session);
  }
  return state.router.subscribe(session, filter, subscription);
}

bool unsubscribe(State& state, Session& session, const TopicFilter& filter) {
  if (session.subscriptions.erase(filter.text()) == 0) return false;
  if (session.durable) {
    state.batch.erase(Table::state, store::subscription_key(session.durable->appender.id(), filter.text()));
    state.touch(session);
  }
  return state.router.unsubscribe(session, filter);
}

}  // namespace tidegate::broker::sessions
