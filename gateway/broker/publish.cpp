#include "gateway/broker/publish.h"

#include <algorithm>

#include "gateway/broker/authorize.h"
#include "gateway/broker/bridge_routes.h"
#include "gateway/broker/outgoing.h"
#include "gateway/broker/reasons.h"
#include "gateway/broker/shared.h"
#include "gateway/mqtt/encode.h"
#include "store/keys.h"

namespace tidegate::broker::publish {
namespace {

constexpr Seconds retained_watch_interval{60};

using bridge_routes::for_each_bridge;
using mqtt::ReasonCode;

// Whether routing the message would put a promise into the store.
bool makes_obligation(const Router::Matches& matches, const store::MessageView& message) {
  if (message.from_bridge == gateway_itself) return false;
  if (message.retain) return true;
  bool queued = false;
  for_each_bridge(matches, message.from_bridge,
                  [&](const BridgeRoute& route) { queued |= bridge_routes::is_queued(route, message.qos); });
  return queued || std::any_of(matches.sessions.begin(), matches.sessions.end(), [&](const Router::Match& match) {
           return match.session->durable && lower(match.qos, message.qos) != Qos::at_most_once;
         });
}

const Router::Matches& matches_of(State& state, const store::MessageView& message, const Session* publisher) {
  const Router::Matches& matches = state.router.match(*TopicName::parse(message.topic), publisher);
  if (!matches.groups.empty()) shared::choose(state, message);
  return matches;
}

// Whether there is no room to retain the message. One that is no larger than the one it replaces always has room.
bool is_retained_full(const State& state, const store::MessageView& message) {
  if (message.payload.empty()) return false;
  MessagePtr before = state.retained.find(message.topic);
  uint64_t bytes = counted_bytes(message), bytes_before = before ? counted_bytes(*before) : 0;
  if (!before && state.retained.count() >= state.limits.retained_messages_max) return true;
  return bytes > bytes_before && state.retained.bytes() - bytes_before + bytes > state.limits.retained_bytes_max;
}

void retain(State& state, Publication& publication, bool in_store) {
  const store::MessageView& message = publication.message();
  bool full = in_store && is_retained_full(state, message);
  if (full) ++state.counters.dropped_retained_full;
  if (full || message.payload.empty()) {  // [MQTT-3.3.1-6]; and better none than the one before
    if (state.retained.remove(message.topic) && in_store) {
      state.batch.erase(store::Table::state, store::retained_key(message.topic));
    }
    return;
  }
  state.retained.keep(publication.shared());
  watch_retained(state);
  if (!in_store) return;
  state.scratch.clear();
  store::encode(message, state.scratch);
  state.batch.put(store::Table::state, store::retained_key(message.topic), state.scratch);
}

std::string subscription_ids(const Router::Matches& matches, uint32_t index) {
  std::string ids;
  const Router::Match& match = matches.sessions[index];
  if (match.subscription_id == 0) return ids;
  mqtt::PropertyWriter writer(ids);
  writer.integer(mqtt::PropertyId::subscription_identifier, match.subscription_id);
  for (auto [at, id] : matches.more_ids) {
    if (at == index) writer.integer(mqtt::PropertyId::subscription_identifier, id);
  }
  return ids;
}

Routed hand_out(State& state, const Router::Matches& matches, Publication& publication, bool in_store) {
  const store::MessageView& message = publication.message();
  if (matches.sessions.size() > 1) publication.expect_many();
  for (uint32_t i = 0; i < matches.sessions.size(); ++i) {
    const Router::Match& match = matches.sessions[i];
    std::string ids = subscription_ids(matches, i);
    outgoing::Terms terms{lower(match.qos, message.qos), message.retain && match.retain_as_published, ids, false,
                          match.group};
    outgoing::deliver(state, *match.session, publication, terms);
  }
  for_each_bridge(matches, message.from_bridge,
                  [&](BridgeRoute& route) { bridge_routes::give(state, route, message, in_store); });
  bool own = message.from_bridge == gateway_itself;
  if (message.retain && (in_store || own)) {
    retain(state, publication, !own);
  } else if (message.retain) {
    ++state.counters.refused_store;
  }
  return {in_store && makes_obligation(matches, message), !matches.sessions.empty() || !matches.routes.empty()};
}

void answer(State& state, Connection& conn, const mqtt::Publish& packet, ReasonCode reason, BatchNumber until,
            std::string_view why = {}) {
  if (packet.qos == Qos::at_most_once) return;
  auto type = packet.qos == Qos::at_least_once ? mqtt::PacketType::puback : mqtt::PacketType::pubrec;
  state.scratch.clear();
  encode_with_reason(conn, mqtt::Ack{type, packet.packet_id, reason, {}}, conn.version, why, state.scratch);
  bool sent = state.send_after(conn, until, state.scratch);
  if (conn.version != mqtt::Version::v5) return;
  // Of QoS 2 PUBREC is not the end, unless it refuses.
  bool goes_on = packet.qos == Qos::exactly_once && !mqtt::is_error(reason);
  if (goes_on || !sent) ++conn.unanswered;
}

void refuse(State& state, Connection& conn, const mqtt::Publish& packet, ReasonCode reason, std::string_view why) {
  state.events.client_step({conn.session->client_id, conn.peer, "PUBLISH refused", packet.topic, mqtt::name(reason)});
  answer(state, conn, packet, reason, BatchNumber{0}, why);
}

// 4.3.3: a PUBLISH whose packet id was seen and not released is a repeat.
bool is_repeat(const Session& session, mqtt::PacketId id) {
  return session.receipts && std::binary_search(session.receipts->begin(), session.receipts->end(), id);
}

void keep_receipt(State& state, Session& session, mqtt::PacketId id) {
  if (!session.receipts) session.receipts = std::make_unique<std::vector<mqtt::PacketId>>();
  std::vector<mqtt::PacketId>& receipts = *session.receipts;
  receipts.insert(std::lower_bound(receipts.begin(), receipts.end(), id), id);
  if (!session.durable) return;
  state.batch.put(store::Table::state, store::receipt_key(session.durable->appender.id(), id), {});
  state.touch(session);
}

store::MessageView view_of(const State& state, const mqtt::Publish& packet, std::string& properties) {
  store::MessageView message;
  message.topic = packet.topic;
  message.payload = packet.payload;
  message.qos = packet.qos;
  message.retain = packet.retain;
  message.received = state.now.wall;
  if (!packet.properties.empty()) {
    mqtt::append_forwarded(packet.properties, properties);
    message.properties = properties;
    if (auto expiry = packet.properties.integer(mqtt::PropertyId::message_expiry_interval)) {
      message.expires = state.now.wall + Seconds{*expiry};
    }
  }
  return message;
}

// What the publish would put into the store and the store does not take now.
std::optional<StoreUse> not_taken(const State& state, const Router::Matches& matches, const store::MessageView& message,
                                  const Session& publisher) {
  StoreState messages = state.store.messages;
  // QoS 0 goes on while the store refuses, for those who need no store; while it is but busy, its promises wait too.
  if (messages != StoreState::ready && (message.qos != Qos::at_most_once || messages == StoreState::busy) &&
      makes_obligation(matches, message)) {
    return StoreUse::messages;
  }
  bool keeps_receipt = message.qos == Qos::exactly_once && publisher.durable;
  if (keeps_receipt && state.store.control != StoreState::ready) return StoreUse::control;
  return {};
}

// 5.0 is told when the store refuses; before 5.0 there is no word for it, and the packet waits.
Taken hold_or_refuse(State& state, Connection& conn, const mqtt::Publish& packet, StoreUse use) {
  if (state.store.of(use) == StoreState::refusing && conn.version == mqtt::Version::v5) {
    ++state.counters.refused_store;
    refuse(state, conn, packet, ReasonCode::quota_exceeded, "the store takes nothing more");
    return Taken::done;
  }
  conn.held_for = use;
  return Taken::not_now;
}

}  // namespace

void watch_retained(State& state) {
  if (state.retained_watched || !state.retained.any_expires()) return;
  state.retained_watched = true;
  state.deadlines.add({state.now.mono + retained_watch_interval, Deadline::Kind::retained, {}, nullptr});
}

void end_expired_retained(State& state) {
  for (const std::string& topic : state.retained.expired(state.now.wall)) {
    state.retained.remove(topic);
    state.batch.erase(store::Table::state, store::retained_key(topic));
  }
  state.retained_watched = false;
  watch_retained(state);
}

// The gateway's own topics; another broker's bridge may say there how it is.
bool is_for_clients(const Connection& conn, std::string_view topic) {
  if (topic.starts_with("$SYS/") && !topic.starts_with("$SYS/broker/connection/")) return false;
  return count_levels(topic) <= conn.listener->limits.topic_levels_max;
}

Routed route(State& state, const store::MessageView& message, const Session* publisher) {
  const Router::Matches& matches = matches_of(state, message, publisher);
  Publication publication(message, state.now.wall);
  return hand_out(state, matches, publication, true);
}

std::optional<mqtt::DecodeError> resolve_properties(Connection& conn, mqtt::Publish& packet) {
  const mqtt::DecodeError bad_alias{ReasonCode::topic_alias_invalid, "unknown topic alias [MQTT-3.3.2-9]"};
  if (packet.properties.empty()) return {};  // then the decoder has seen a topic
  if (packet.properties.integer(mqtt::PropertyId::subscription_identifier)) {
    return mqtt::DecodeError{ReasonCode::protocol_error, "subscription identifier of a client [MQTT-3.3.4-6]"};
  }
  auto alias = packet.properties.integer(mqtt::PropertyId::topic_alias);
  if (!alias) return {};
  if (*alias > conn.listener->limits.topic_aliases_max) return bad_alias;
  if (!conn.topic_aliases) conn.topic_aliases = std::make_unique<std::vector<std::string>>();
  if (conn.topic_aliases->size() < *alias) conn.topic_aliases->resize(*alias);
  std::string& topic = (*conn.topic_aliases)[*alias - 1];
  if (!packet.topic.empty()) {
    topic = packet.topic;
  } else if (topic.empty()) {
    return bad_alias;
  } else {
    packet.topic = topic;
  }
  return {};
}

bool ends_exchange(std::string_view packet) {
  auto first = static_cast<uint8_t>(packet.front());
  auto type = mqtt::type_of(first);
  if (type == mqtt::PacketType::puback || type == mqtt::PacketType::pubcomp) return true;
  // Header, remaining length (one byte), packet identifier, reason.
  return type == mqtt::PacketType::pubrec && packet.size() > 4 && (static_cast<uint8_t>(packet[4]) & 0x80) != 0;
}

std::optional<mqtt::DecodeError> refused_by_listener(const Connection& conn, const mqtt::Publish& packet) {
  const ListenerPolicy& listener = *conn.listener;
  if (packet.qos > listener.max_qos) {
    return mqtt::DecodeError{ReasonCode::qos_not_supported, "QoS above the Maximum QoS [MQTT-3.2.2-11]"};
  }
  if (packet.retain && !listener.retain_available) {
    return mqtt::DecodeError{ReasonCode::retain_not_supported, "nothing is retained here [MQTT-3.2.2-14]"};
  }
  return {};
}

Quota quota(const State& state, const Connection& conn, const mqtt::Publish& packet) {
  if (packet.qos == Qos::at_most_once || conn.unanswered < conn.listener->limits.receive_max) return Quota::free;
  return state.gate.is_committed(conn.last_held_until) ? Quota::exceeded : Quota::answers_on_their_way;
}

Taken publish(State& state, Connection& conn, const mqtt::Publish& packet) {
  Session& session = *conn.session;
  if (packet.qos == Qos::exactly_once && is_repeat(session, packet.packet_id)) {
    answer(state, conn, packet, ReasonCode::success, session.changed_in);
    return Taken::done;
  }
  bool allowed = authorize::may_write(session, packet.topic);
  if (!allowed) ++state.counters.dropped_not_allowed;
  if (!allowed || !is_for_clients(conn, packet.topic)) {
    // Before 5.0 the standard has an acknowledgement or a closed connection to say no [MQTT-3.3.5-2 of 3.1.1].
    refuse(state, conn, packet, ReasonCode::not_authorized,
           allowed ? "not a topic that clients publish to" : "no rule allows to publish there");
    return Taken::done;
  }
  std::string properties;
  store::MessageView message = view_of(state, packet, properties);
  const Router::Matches& matches = matches_of(state, message, &session);
  if (auto use = not_taken(state, matches, message, session)) return hold_or_refuse(state, conn, packet, *use);
  if (packet.retain && packet.qos != Qos::at_most_once && conn.version == mqtt::Version::v5 &&
      is_retained_full(state, message)) {
    ++state.counters.dropped_retained_full;
    refuse(state, conn, packet, ReasonCode::quota_exceeded, "no room for more retained messages");
    return Taken::done;
  }
  ++state.counters.publishes_received;
  state.counters.publish_bytes_received += packet.payload.size();
  Publication publication(message, state.now.wall);
  Routed routed = hand_out(state, matches, publication, state.store.messages == StoreState::ready);
  if (packet.qos == Qos::exactly_once) keep_receipt(state, session, packet.packet_id);
  // Not simply this batch: nothing may stand in it, for what is full or cleared already.
  BatchNumber until = routed.obligation ? state.newest_change() : BatchNumber{0};
  if (packet.qos == Qos::exactly_once) until = std::max(until, session.changed_in);
  bool unheard = !routed.anybody && !packet.retain && conn.version == mqtt::Version::v5;
  answer(state, conn, packet, unheard ? ReasonCode::no_matching_subscribers : ReasonCode::success, until);
  return Taken::done;
}

void release(State& state, Connection& conn, const mqtt::Ack& pubrel) {
  Session& session = *conn.session;
  // Known no more in a kept session: the PUBREL came before the connection was lost, and its PUBCOMP did not arrive. That
  // is success: MQTT.js and others tell of a failed publish when they read 0x92.
  ReasonCode reason = session.durable ? ReasonCode::success : ReasonCode::packet_identifier_not_found;
  if (is_repeat(session, pubrel.packet_id)) {
    reason = ReasonCode::success;
    std::vector<mqtt::PacketId>& receipts = *session.receipts;
    receipts.erase(std::lower_bound(receipts.begin(), receipts.end(), pubrel.packet_id));
    if (session.durable) {
      state.batch.erase(store::Table::state, store::receipt_key(session.durable->appender.id(), pubrel.packet_id));
      state.touch(session);
    }
  }
  state.scratch.clear();
  mqtt::encode(mqtt::Ack{mqtt::PacketType::pubcomp, pubrel.packet_id, reason, {}}, conn.version, state.scratch);
  if (state.send_after(conn, session.changed_in, state.scratch) && conn.unanswered > 0) --conn.unanswered;
}

}  // namespace tidegate::broker::publish
