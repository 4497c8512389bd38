#include "gateway/broker/subscribe.h"

#include <algorithm>

#include "gateway/broker/authorize.h"
#include "gateway/broker/outgoing.h"
#include "gateway/broker/reasons.h"
#include "gateway/broker/sessions.h"
#include "gateway/broker/shared_filter.h"
#include "gateway/mqtt/encode.h"

namespace tidegate::broker::subscribe {
namespace {

using mqtt::ReasonCode;

// Before 5.0 there is one word for no (3.9.3).
char code_byte(ReasonCode code, mqtt::Version version) {
  if (mqtt::is_error(code) && version != mqtt::Version::v5) code = ReasonCode::unspecified_error;
  return static_cast<char>(code);
}

struct Granted {
  TopicFilter filter;
  Subscription subscription;
  bool is_new = false;
};

// `why`: of a refusal, a sentence for the client.
ReasonCode grant(State& state, Connection& conn, const mqtt::Subscribe::Entry& entry, uint32_t id,
                 std::vector<Granted>& granted, std::string_view& why) {
  Session& session = *conn.session;
  auto refuse = [&why](ReasonCode code, std::string_view sentence) {
    why = sentence;
    return code;
  };
  auto filter = TopicFilter::parse(entry.filter);
  if (!filter) return refuse(ReasonCode::topic_filter_invalid, "not a topic filter (4.7.1)");
  const bool shared = is_shared(entry.filter);
  auto topics = filter;  // what it is about: without the group
  if (shared) {
    auto parts = split_shared(entry.filter);
    topics = parts ? TopicFilter::parse(parts->filter) : std::nullopt;
    if (!topics) return refuse(ReasonCode::topic_filter_invalid, "not $share/GROUP/FILTER (4.8.2)");
  }
  if (!authorize::may_subscribe(session, *topics)) {
    return refuse(ReasonCode::not_authorized, "no rule allows to read any of it");
  }
  if (count_levels(topics->text()) > conn.listener->limits.topic_levels_max) {
    return refuse(ReasonCode::topic_filter_invalid, "more levels than are allowed");
  }
  if (session.subscriptions.size() >= conn.listener->limits.subscriptions_max &&
      !session.subscriptions.contains(filter->text())) {
    return refuse(ReasonCode::quota_exceeded, "as many subscriptions as a session may have");
  }
  if (session.durable && state.store.control == StoreState::refusing) {
    ++state.counters.refused_store;
    return refuse(ReasonCode::quota_exceeded, "the store takes nothing more");
  }
  Subscription subscription{entry.options, id};
  subscription.options.qos = lower(entry.options.qos, conn.listener->max_qos);  // [MQTT-3.2.2-10]
  if (conn.other_broker && !shared) {  // as Mosquitto's bridges expect: no echo, retained flags kept
    subscription.options.no_local = true;
    subscription.options.retain_as_published = true;
  }
  bool is_new = sessions::subscribe(state, session, *filter, subscription);
  granted.push_back({std::move(*filter), subscription, is_new});
  return static_cast<ReasonCode>(subscription.options.qos);
}

// `burst`: bytes of them that go out beyond the output limit, as far as they are not used up.
void send_retained(State& state, Session& session, const Granted& granted, uint64_t& burst) {
  const mqtt::SubscribeOptions& options = granted.subscription.options;
  if (is_shared(granted.filter.text())) return;  // 4.8.2: nothing retained
  if (options.retain_handling == mqtt::RetainHandling::never) return;
  if (options.retain_handling == mqtt::RetainHandling::send_if_new && !granted.is_new) return;
  std::string ids;
  if (granted.subscription.id != 0) {
    mqtt::PropertyWriter(ids).integer(mqtt::PropertyId::subscription_identifier, granted.subscription.id);
  }
  state.retained.for_each(granted.filter, [&](const MessagePtr& message) {
    Publication publication(message, state.now.wall);
    if (publication.is_expired()) return;
    bool within_burst = counted_bytes(*message) <= burst;
    if (within_burst) burst -= counted_bytes(*message);
    outgoing::deliver(state, session, publication,
                      {lower(options.qos, message->qos), true, ids, within_burst});  // [MQTT-3.3.1-8 of 3.1.1]
  });
}

Taken hold(Connection& conn) {
  conn.held_for = StoreUse::control;
  return Taken::not_now;
}

// Whether a filter has a subscription whose end would be stored.
bool ends_in_store(const Session& session, std::string_view filter) {
  return session.durable && session.subscriptions.contains(std::string(filter));
}

ReasonCode revoke(State& state, Session& session, std::string_view text) {
  auto filter = TopicFilter::parse(text);
  if (!filter) return ReasonCode::topic_filter_invalid;
  if (state.store.control == StoreState::refusing && ends_in_store(session, text)) {
    ++state.counters.refused_store;
    return ReasonCode::unspecified_error;  // 3.11.3 has no better word
  }
  return sessions::unsubscribe(state, session, *filter) ? ReasonCode::success : ReasonCode::no_subscription_existed;
}

}  // namespace

Taken subscribe(State& state, Connection& conn, const mqtt::Subscribe& packet) {
  Session& session = *conn.session;
  if (session.durable && state.store.control == StoreState::busy) return hold(conn);
  // Who reads is sent every retained message that there is, once: not more, so that filters that overlap do not multiply
  // what a connection may hold. The next SUBSCRIBE waits until they have been read.
  if (outgoing::is_slow(state, conn)) return Taken::not_now;
  uint64_t burst = state.retained.bytes();
  uint32_t id = packet.properties.integer(mqtt::PropertyId::subscription_identifier).value_or(0);
  std::string codes;
  std::string_view why;  // of the last refusal
  std::vector<Granted> granted;
  for (const mqtt::Subscribe::Entry& entry : packet.entries) {
    ReasonCode code = grant(state, conn, entry, id, granted, why);
    state.events.client_step({session.client_id, conn.peer, "SUBSCRIBE", entry.filter, mqtt::name(code)});
    codes.push_back(code_byte(code, conn.version));
  }
  state.scratch.clear();
  mqtt::Suback suback{mqtt::PacketType::suback, packet.packet_id, codes, {}};
  encode_with_reason(conn, suback, conn.version, why, state.scratch);
  BatchNumber until = session.durable ? session.changed_in : BatchNumber{0};
  state.send_after(conn, until, state.scratch);
  // Retained messages follow their SUBACK, which may be waiting for the disk, or behind what does.
  if (!state.gate.is_committed(conn.last_held_until)) conn.publish_after = conn.last_held_until;
  for (const Granted& grant : granted) send_retained(state, session, grant, burst);
  return Taken::done;
}

Taken unsubscribe(State& state, Connection& conn, const mqtt::Unsubscribe& packet) {
  Session& session = *conn.session;
  // Before 5.0 an UNSUBACK cannot say no.
  bool waits = state.store.control == StoreState::busy ||
               (state.store.control == StoreState::refusing && conn.version != mqtt::Version::v5);
  if (waits && std::any_of(packet.filters.begin(), packet.filters.end(),
                           [&](std::string_view filter) { return ends_in_store(session, filter); })) {
    return hold(conn);
  }
  std::string codes;
  for (std::string_view text : packet.filters) {
    ReasonCode code = revoke(state, session, text);
    state.events.client_step({session.client_id, conn.peer, "UNSUBSCRIBE", text, mqtt::name(code)});
    codes.push_back(static_cast<char>(code));
  }
  if (conn.version != mqtt::Version::v5) codes.clear();
  state.scratch.clear();
  mqtt::encode(mqtt::Suback{mqtt::PacketType::unsuback, packet.packet_id, codes, {}}, conn.version, state.scratch);
  state.send_after(conn, session.durable ? session.changed_in : BatchNumber{0}, state.scratch);
  return Taken::done;
}

}  // namespace tidegate::broker::subscribe
