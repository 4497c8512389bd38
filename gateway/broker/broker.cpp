#include "gateway/broker/broker.h"

#include <algorithm>

#include "gateway/broker/authentication.h"
#include "gateway/broker/connect.h"
#include "gateway/broker/outgoing.h"
#include "gateway/broker/publish.h"
#include "gateway/broker/sessions.h"
#include "gateway/broker/shared.h"
#include "gateway/broker/subscribe.h"
#include "gateway/broker/wills.h"
#include "gateway/mqtt/decode.h"
#include "gateway/mqtt/encode.h"
#include "store/keys.h"
#include "store/records.h"

namespace tidegate::broker {

using mqtt::PacketType;
using mqtt::ReasonCode;

void Broker::opened(ConnId id, const ListenerPolicy& listener, std::string peer) {
  if (state_.connections.size() <= id.slot) state_.connections.resize(id.slot + 1);
  auto conn = std::make_unique<Connection>();
  conn->id = id;
  conn->listener = &listener;
  conn->peer = std::move(peer);
  conn->last_received = state_.now.mono;
  ++state_.pending_connects;
  state_.connections[id.slot] = std::move(conn);
  state_.deadlines.add(
      Deadline::of_connection(state_.now.mono + listener.limits.connect_timeout, Deadline::Kind::connect_timeout, id));
}

void Broker::introduce(ConnId id, std::string peer, std::string username) {
  Connection* conn = state_.find(id);
  if (!conn) return;
  if (!peer.empty()) conn->peer = std::move(peer);
  if (!username.empty()) conn->identity = std::make_unique<std::string>(std::move(username));
}

void Broker::refuse(ConnId id, std::string_view why) {
  if (Connection* conn = state_.find(id)) connect::kick(state_, *conn, ReasonCode::not_authorized, why);
}

bool Broker::is_to_speak_first(ConnId id) {
  using Stage = Connection::Stage;
  Connection* conn = state_.find(id);
  return conn && (conn->stage == Stage::awaiting_connect || conn->stage == Stage::authenticating);
}

Taken Broker::packet(ConnId id, const mqtt::Frame& frame) {
  Connection* conn = state_.find(id);
  if (!conn) return Taken::done;
  conn->last_received = state_.now.mono;
  if (conn->stage == Connection::Stage::checking_credentials || conn->stage == Connection::Stage::waiting_for_store) {
    return Taken::not_now;
  }
  ++state_.counters.packets_received;
  if (frame.state == mqtt::Frame::State::complete) {
    if (conn->stage == Connection::Stage::connected) {
      Taken taken = connected_packet(*conn, frame);
      if (taken == Taken::not_now) --state_.counters.packets_received;  // counted when it is taken
      return taken;
    }
    if (conn->stage == Connection::Stage::authenticating) {
      authentication::packet_before_connack(state_, *conn, frame);
    } else {
      connect::first_packet(state_, *conn, frame);
    }
  } else {
    bool too_large = frame.state == mqtt::Frame::State::too_large;
    connect::kick(state_, *conn, too_large ? ReasonCode::packet_too_large : ReasonCode::malformed_packet,
                  too_large ? "packet too large" : "malformed packet");
  }
  return Taken::done;
}

void Broker::begun(ConnId id, std::string_view bytes) {
  Connection* conn = state_.find(id);
  if (conn && conn->stage == Connection::Stage::awaiting_connect) connect::first_bytes(state_, *conn, bytes);
}

Taken Broker::connected_packet(Connection& conn, const mqtt::Frame& frame) {
  switch (mqtt::type_of(frame.first)) {
    case PacketType::publish: return publish_packet(conn, frame);
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp: ack_packet(conn, frame); return Taken::done;
    default: return rare_packet(conn, frame);
  }
}

Taken Broker::publish_packet(Connection& conn, const mqtt::Frame& frame) {
  auto packet = mqtt::decode_publish(frame, conn.version);
  if (!packet) {
    connect::kick(state_, conn, packet.error().reason, packet.error().what);
    return Taken::done;
  }
  auto wrong = publish::refused_by_listener(conn, *packet);
  if (!wrong && conn.version == mqtt::Version::v5) wrong = publish::resolve_properties(conn, *packet);
  if (wrong) {
    connect::kick(state_, conn, wrong->reason, wrong->what);
    return Taken::done;
  }
  switch (publish::quota(state_, conn, *packet)) {
    case publish::Quota::free: return held_or_not(conn, publish::publish(state_, conn, *packet));
    case publish::Quota::answers_on_their_way:  // it is fed again once one of them is written
      conn.held_for = StoreUse::messages;
      return held_or_not(conn, Taken::not_now);
    case publish::Quota::exceeded: break;
  }
  connect::kick(state_, conn, ReasonCode::receive_maximum_exceeded, "more than the Receive Maximum [MQTT-3.3.4-7]");
  return Taken::done;
}

Taken Broker::held_or_not(Connection& conn, Taken taken) {
  if (taken == Taken::done) {
    conn.held = false;
  } else if (!conn.held) {
    hold(conn);
  }
  return taken;
}

void Broker::hold(Connection& conn) {
  conn.held = true;
  conn.held_since = state_.now.mono;
  if (state_.store.of(conn.held_for) != StoreState::refusing) return;  // its time begins when it does
  state_.deadlines.add(Deadline::of_connection(state_.now.mono + conn.listener->limits.refuse_after,
                                               Deadline::Kind::refused_too_long, conn.id));
}

void Broker::ack_packet(Connection& conn, const mqtt::Frame& frame) {
  auto packet = mqtt::decode_ack(frame, conn.version);
  if (!packet) return connect::kick(state_, conn, packet.error().reason, packet.error().what);
  switch (packet->type) {
    case PacketType::puback: return outgoing::acknowledged(state_, conn, *packet);
    case PacketType::pubrec: return outgoing::received(state_, conn, *packet);
    case PacketType::pubcomp: return outgoing::completed(state_, conn, *packet);
    default: return publish::release(state_, conn, *packet);
  }
}

Taken Broker::rare_packet(Connection& conn, const mqtt::Frame& frame) {
  auto packet = mqtt::decode(frame, conn.version);
  if (!packet) {
    connect::kick(state_, conn, packet.error().reason, packet.error().what);
  } else if (auto* subscribe = std::get_if<mqtt::Subscribe>(&*packet)) {
    return held_or_not(conn, subscribe::subscribe(state_, conn, *subscribe));
  } else if (auto* unsubscribe = std::get_if<mqtt::Unsubscribe>(&*packet)) {
    return held_or_not(conn, subscribe::unsubscribe(state_, conn, *unsubscribe));
  } else if (std::holds_alternative<mqtt::Pingreq>(*packet)) {
    state_.scratch.clear();
    mqtt::encode(mqtt::Pingresp{}, state_.scratch);
    if (OutBuffer* buffer = state_.out.buffer(conn.id); buffer && state_.gate.is_committed(conn.connack_after)) {
      buffer->own().append(state_.scratch);
      ++state_.counters.packets_sent;
    } else {
      state_.send_in_order(conn, state_.scratch);
    }
  } else if (auto* disconnect = std::get_if<mqtt::Disconnect>(&*packet)) {
    connect::disconnect(state_, conn, *disconnect);
  } else if (auto* auth = std::get_if<mqtt::Auth>(&*packet)) {
    authentication::packet(state_, conn, *auth);
  } else {
    connect::kick(state_, conn, ReasonCode::protocol_error, "a packet that only a server sends");
  }
  return Taken::done;
}

void Broker::closed(ConnId id, std::string_view why) {
  if (Connection* conn = state_.find(id)) connect::lost(state_, *conn, why);
}

void Broker::credentials_checked(ConnId id, bool right) {
  Connection* conn = state_.find(id);
  if (conn && conn->stage == Connection::Stage::checking_credentials) {
    connect::credentials_checked(state_, *conn, right);
  }
}

void Broker::may_authenticate(ConnId id) {
  Connection* conn = state_.find(id);
  if (conn && conn->stage == Connection::Stage::checking_credentials) connect::may_authenticate(state_, *conn);
}

void Broker::too_busy_to_check(ConnId id) {
  Connection* conn = state_.find(id);
  if (conn && conn->stage == Connection::Stage::checking_credentials) connect::too_busy_to_check(state_, *conn);
}

void Broker::records_read(QueueId queue, Seq from, const std::vector<store::QueueRecord>& records) {
  if (!shared::records_read(state_, queue, records)) outgoing::records_read(state_, queue, from, records);
}

void Broker::read_failed(QueueId queue) {
  if (!shared::read_failed(state_, queue)) outgoing::read_failed(state_, queue);
}

void Broker::publish_from_bridge(const Message& message, store::QueueRemover* inbox, Seq seq) {
  publish::route(state_, store::view_of(message), nullptr);
  if (!inbox) return;
  inbox->remove(state_.batch, seq, counted_bytes(message));
  inbox->advance(Seq{seq.value + 1});
  inbox->flush(state_.batch);
}

void Broker::publish_own(std::string_view topic, std::string_view payload, bool retain) {
  store::MessageView message;
  message.topic = topic;
  message.payload = payload;
  message.retain = retain;
  message.received = state_.now.wall;
  message.from_bridge = gateway_itself;
  publish::route(state_, message, nullptr);
}

Result<QueueId> Broker::named_queue(store::Store& store, std::string_view name) {
  std::string key = store::queue_name_key(name);
  std::optional<uint32_t> id;
  auto scanned = store.scan(key, [&](std::string_view found, std::string_view value) {
    if (found == key) id = store::decode_u32(value);
    return found != key;
  });
  if (!scanned) return tl::unexpected(scanned.error());
  if (id) {
    state_.next_queue_id = std::max(state_.next_queue_id, *id + 1);
    return QueueId{*id};
  }
  QueueId made = state_.new_queue_id();
  state_.batch.put(store::Table::state, key, store::encode_u32(made.value));
  return made;
}

void Broker::set_store_state(StoreStates store) {
  StoreStates before = std::exchange(state_.store, store);
  if (store == before) return;
  for (const auto& conn : state_.connections) {
    if (!conn || !conn->held || store.of(conn->held_for) == before.of(conn->held_for)) continue;
    if (store.of(conn->held_for) == StoreState::refusing) hold(*conn);
    state_.out.resume(conn->id);  // also if refused: 5.0 is told so
  }
  if (store.control != before.control) connect::store_changed(state_);
}

void Broker::run_deadlines() {
  while (state_.deadlines.next() <= state_.now.mono) run(state_.deadlines.pop());
  state_.deadlines.sweep([this](const Deadline& deadline) { return is_stale(deadline); });
}

bool Broker::is_stale(const Deadline& deadline) {
  if (deadline.conn) return !state_.find(deadline.conn);
  if (deadline.kind == Deadline::Kind::estates) return state_.estates.empty();
  if (deadline.kind == Deadline::Kind::retained) return false;
  const Session* session = sessions::find(state_, *deadline.client_id);
  if (!session) return true;
  if (deadline.kind == Deadline::Kind::session_expiry) return session->expires != deadline.at;
  return !session->will || session->will->fires != deadline.at;
}

void Broker::run(const Deadline& deadline) {
  Connection* conn = state_.find(deadline.conn);
  switch (deadline.kind) {
    case Deadline::Kind::connect_timeout:
      if (is_to_speak_first(deadline.conn)) {
        connect::kick(state_, *conn, ReasonCode::keep_alive_timeout, "no CONNECT in time");
      }
      return;
    case Deadline::Kind::keep_alive:
      if (conn) keep_alive(*conn);
      return;
    case Deadline::Kind::refused_too_long:
      // Before 5.0 a closed connection is the only way to have the message sent again (invariant 8).
      if (conn && conn->held && state_.store.of(conn->held_for) == StoreState::refusing &&
          state_.now.mono - conn->held_since >= state_.limits.refuse_after) {
        connect::kick(state_, *conn, ReasonCode::quota_exceeded, "the store takes nothing more");
      }
      return;
    case Deadline::Kind::read_again:
      if (conn && conn->session) outgoing::read_again(state_, *conn->session);
      return;
    case Deadline::Kind::estates: return shared::settle_estates(state_);
    case Deadline::Kind::retained: return publish::end_expired_retained(state_);
    case Deadline::Kind::session_expiry:
      if (Session* session = sessions::find(state_, *deadline.client_id);
          session && !session->conn && session->expires <= state_.now.mono) {
        ++state_.counters.sessions_expired;
        sessions::end(state_, *session);
      }
      return;
    case Deadline::Kind::will:
      if (Session* session = sessions::find(state_, *deadline.client_id);
          session && session->will && session->will->fires <= state_.now.mono) {
        wills::fire(state_, *session);
      }
      return;
  }
}

// [MQTT-3.1.2-22]: one and a half times the keep-alive without a packet. A connection that is not read is not blamed.
void Broker::keep_alive(Connection& conn) {
  if (conn.held) conn.last_received = state_.now.mono;
  Instant due = conn.last_received + Millis{conn.keepalive_seconds * 1500};
  if (due > state_.now.mono) {
    state_.deadlines.add(Deadline::of_connection(due, Deadline::Kind::keep_alive, conn.id));
  } else {
    connect::kick(state_, conn, ReasonCode::keep_alive_timeout, "keep-alive exceeded");
  }
}

std::optional<BatchNumber> Broker::seal() {
  outgoing::flush_marks(state_);
  for (const auto& bridge : state_.bridges) {
    if (!bridge->dirty) continue;
    bridge->dirty = false;
    bridge->out.flush(state_.batch);
    bridge->uncommitted.emplace_back(state_.batch_number, bridge->out.tail());
  }
  if (state_.batch.empty()) return {};
  return std::exchange(state_.batch_number, BatchNumber{state_.batch_number.value + 1});
}

void Broker::committed(BatchNumber batch) {
  std::vector<std::pair<ConnId, std::string>> expired;
  state_.gate.open(batch, [&](ConnId conn, std::string& packet, WallTime expires) {
    OutBuffer* buffer = state_.out.buffer(conn);
    if (!buffer) return;
    if (expires != WallTime::never() && !outgoing::tell_time_left(state_, conn, packet, expires)) {
      return (void)expired.emplace_back(conn, std::move(packet));
    }
    buffer->own().append(packet);
    Connection* to = state_.find(conn);
    if (to && to->unanswered > 0 && publish::ends_exchange(packet)) --to->unanswered;
  });
  for (const auto& [conn, packet] : expired) outgoing::expired(state_, conn, packet);
  for (const auto& bridge : state_.bridges) {
    std::optional<store::QueueTail> tail;
    while (!bridge->uncommitted.empty() && bridge->uncommitted.front().first <= batch) {
      tail = bridge->uncommitted.front().second;
      bridge->uncommitted.pop_front();
    }
    if (tail) bridge->committed(*tail);
  }
  outgoing::feed_starved(state_);
  shared::settle_estates(state_);
}

void Broker::shut_down() {
  for (size_t slot = 0; slot < state_.connections.size(); ++slot) {
    if (Connection* conn = state_.connections[slot].get()) {
      connect::kick(state_, *conn, ReasonCode::server_shutting_down, "the gateway stops");
    }
  }
}

}  // namespace tidegate::broker
