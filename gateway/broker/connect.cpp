#include "gateway/broker/connect.h"

#include <algorithm>

#include "gateway/broker/authentication.h"
#include "gateway/broker/authorize.h"
#include "gateway/broker/outgoing.h"
#include "gateway/broker/publish.h"
#include "gateway/broker/reasons.h"
#include "gateway/broker/sessions.h"
#include "gateway/broker/wills.h"
#include "gateway/mqtt/decode.h"
#include "gateway/mqtt/encode.h"

namespace tidegate::broker::connect {
namespace {

using mqtt::PropertyId;
using mqtt::ReasonCode;
using mqtt::Version;

using Stage = Connection::Stage;

// Leaves the connections that count as pending, or wait for the store.
void leave_stage(State& state, const Connection& conn) {
  if (conn.stage == Stage::awaiting_connect || conn.stage == Stage::checking_credentials ||
      conn.stage == Stage::authenticating) {
    --state.pending_connects;
  }
  if (conn.stage == Stage::waiting_for_store) std::erase(state.waiting_for_store, conn.id);
}

void forget(State& state, Connection& conn) {
  leave_stage(state, conn);
  state.connections[conn.id.slot].reset();
}

void refuse(State& state, Connection& conn, Version version, ReasonCode reason, std::string_view client_id,
            std::string_view why) {
  state.events.client_refused(client_id, conn.peer, why);
  mqtt::Connack connack;
  connack.code = version == Version::v5 ? static_cast<uint8_t>(reason) : mqtt::connack_code_before_v5(reason);
  ++state.counters.packets_sent;
  if (OutBuffer* buffer = state.out.buffer(conn.id)) encode_with_reason(conn, connack, version, why, buffer->own());
  state.out.close(conn.id);
  forget(state, conn);
}

bool is_accepted(const ListenerPolicy& listener, Version version) {
  switch (version) {
    case Version::v3_1: return listener.accept_v3_1;
    case Version::v3_1_1: return listener.accept_v3_1_1;
    case Version::v5: return listener.accept_v5;
  }
  return false;
}

std::string assign_client_id(State& state, const std::string& prefix) {
  std::string id;
  do {
    id = prefix + std::to_string(state.now.wall.since_epoch.count()) + "-" + std::to_string(++state.next_client_number);
  } while (state.sessions.contains(id));
  return id;
}

// Empty: one is to be assigned.
std::string_view client_id_of(const Connection& conn, const mqtt::Connect& packet) {
  if (conn.listener->use_username_as_client_id) return packet.username.value_or(std::string_view{});
  return packet.client_id;
}

// Seconds that the session outlives its connection (3.1.2.4, 3.1.2.11.2).
uint32_t expiry_of(const State& state, const mqtt::Connect& packet) {
  auto longest = static_cast<uint32_t>(state.limits.session_expiry_max.count());
  if (packet.version != Version::v5) return packet.clean_start ? 0 : longest;
  return std::min(packet.properties.integer(PropertyId::session_expiry_interval).value_or(0), longest);
}

// An id that the gateway would assign begins with none of them.
bool has_allowed_prefix(const ListenerPolicy& listener, std::string_view client_id) {
  const auto& prefixes = listener.client_id_prefixes;
  return prefixes.empty() || std::any_of(prefixes.begin(), prefixes.end(),
                                         [&](const std::string& prefix) { return client_id.starts_with(prefix); });
}

bool is_allowed_id(const ListenerPolicy& listener, const mqtt::Connect& packet, std::string_view client_id) {
  if (!client_id.empty()) return has_allowed_prefix(listener, client_id);
  if (listener.use_username_as_client_id || !listener.allow_empty_client_id) return false;
  bool may_be_empty = packet.version == Version::v5 || (packet.version == Version::v3_1_1 && packet.clean_start);
  return may_be_empty && has_allowed_prefix(listener, client_id);  // [MQTT-3.1.3-8 of 3.1.1]
}

// Reason to refuse the packet as it stands, or success.
ReasonCode refusal(const State& state, const Connection& conn, const mqtt::Connect& packet) {
  if (!is_accepted(*conn.listener, packet.version)) return ReasonCode::unsupported_protocol_version;
  auto method = packet.properties.text(PropertyId::authentication_method);
  if (method && (!state.authenticator || !state.authenticator->knows(*method))) {
    return ReasonCode::bad_authentication_method;
  }
  // The exchange says who it is; then all of this is asked again.
  if (conn.listener->use_username_as_client_id && method && !packet.username) return ReasonCode::success;
  std::string_view client_id = client_id_of(conn, packet);
  if (!is_allowed_id(*conn.listener, packet, client_id)) return ReasonCode::client_identifier_not_valid;
  if (!packet.username && !method && !conn.listener->allow_anonymous) return ReasonCode::not_authorized;
  if (packet.will && packet.will->qos > conn.listener->max_qos) return ReasonCode::qos_not_supported;
  if (packet.will && packet.will->retain && !conn.listener->retain_available) return ReasonCode::retain_not_supported;
  if (packet.will && !publish::is_for_clients(conn, packet.will->topic)) return ReasonCode::not_authorized;
  if (state.sessions.size() >= state.limits.sessions_max && !state.sessions.contains(std::string(client_id))) {
    return ReasonCode::quota_exceeded;
  }
  return ReasonCode::success;
}

// The newcomer has the client id: the connection before it is closed [MQTT-3.1.4-3].
void take_over(State& state, Session& session) {
  if (Connection* old = state.connection_of(session)) {
    kick(state, *old, ReasonCode::session_taken_over, "taken over by a new connection");
  }
}

Session& open_session(State& state, const mqtt::Connect& packet, const std::string& client_id, bool& present) {
  Session* session = sessions::find(state, client_id);
  bool was_kept = session && session->durable;
  if (session) {
    take_over(state, *session);
    session = sessions::find(state, client_id);
  }
  if (session && packet.clean_start) {
    sessions::end(state, *session);
    session = nullptr;
  }
  present = session != nullptr;
  if (session) return *session;
  Session& created = sessions::create(state, client_id);
  if (was_kept) state.touch(created);  // its end is in this batch, and a crash before must not bring it back
  return created;
}

void apply_client_limits(Connection& conn, const mqtt::Connect& packet) {
  conn.version = packet.version;
  conn.other_broker = packet.bridge;
  conn.window = std::min(conn.listener->limits.inflight_messages_max,
                         packet.properties.integer(PropertyId::receive_maximum).value_or(65535));
  uint16_t aliases =
      static_cast<uint16_t>(std::min<uint32_t>(conn.listener->limits.topic_aliases_out_max,
                                               packet.properties.integer(PropertyId::topic_alias_maximum).value_or(0)));
  if (aliases > 0) conn.topic_aliases_out = std::make_unique<TopicAliases>(aliases);
  conn.keepalive_seconds = packet.keep_alive_seconds;
  auto longest = static_cast<uint16_t>(conn.listener->limits.keepalive_max.count());
  if (conn.keepalive_seconds == 0 || conn.keepalive_seconds > longest) conn.keepalive_seconds = longest;
}

// What the client says of the answers that it takes, a refusal included.
void apply_answer_limits(Connection& conn, const mqtt::Connect& packet) {
  conn.packet_bytes_max = packet.properties.integer(PropertyId::maximum_packet_size).value_or(0);
  conn.problem_information = packet.properties.integer(PropertyId::request_problem_information).value_or(1) != 0;
}

void write_connack_properties(const Connection& conn, const mqtt::Connect& packet, const Session& session,
                              mqtt::PropertyWriter& writer) {
  const ListenerPolicy& listener = *conn.listener;
  uint32_t asked = packet.properties.integer(PropertyId::session_expiry_interval).value_or(0);
  if (session.expiry_seconds != asked) writer.integer(PropertyId::session_expiry_interval, session.expiry_seconds);
  if (listener.limits.receive_max < 65535) writer.integer(PropertyId::receive_maximum, listener.limits.receive_max);
  if (listener.max_qos != Qos::exactly_once) {
    writer.integer(PropertyId::maximum_qos, static_cast<uint32_t>(listener.max_qos));
  }
  if (!listener.retain_available) writer.integer(PropertyId::retain_available, 0);
  writer.integer(PropertyId::maximum_packet_size, listener.limits.packet_bytes_max);
  if (packet.client_id.empty()) writer.text(PropertyId::assigned_client_identifier, session.client_id);
  if (uint16_t aliases = listener.limits.topic_aliases_max; aliases > 0) {
    writer.integer(PropertyId::topic_alias_maximum, aliases);
  }
  if (conn.keepalive_seconds != packet.keep_alive_seconds) {
    writer.integer(PropertyId::server_keep_alive, conn.keepalive_seconds);
  }
  if (const Authentication* auth = conn.authentication.get()) {
    writer.text(PropertyId::authentication_method, auth->method);
    if (!auth->final_data.empty()) writer.text(PropertyId::authentication_data, auth->final_data);
  }
  bool asks = packet.properties.integer(PropertyId::request_response_information).value_or(0) != 0;
  if (asks && !listener.response_information.empty()) {  // [MQTT-3.1.2-28]
    writer.text(PropertyId::response_information, listener.response_information);
  }
}

// False: it does not fit the client's Maximum Packet Size, and nothing may be sent without it.
[[nodiscard]] bool send_connack(State& state, Connection& conn, const mqtt::Connect& packet, const Session& session,
                                bool present) {
  std::string properties;
  mqtt::PropertyWriter writer(properties);
  if (conn.version == Version::v5) write_connack_properties(conn, packet, session, writer);
  mqtt::Connack connack{present, 0, mqtt::Properties::of_valid_wire(properties)};
  state.scratch.clear();
  mqtt::encode(connack, conn.version, state.scratch);
  if (conn.packet_bytes_max != 0 && state.scratch.size() > conn.packet_bytes_max) return false;
  // That of a kept session waits for the disk, and nothing overtakes it.
  state.send_after(conn, session.changed_in, state.scratch);
  conn.connack_after = session.changed_in;
  conn.publish_after = session.changed_in;
  return true;
}

void watch_keep_alive(State& state, Connection& conn) {
  state.deadlines.add(Deadline::of_connection(conn.last_received + Millis{conn.keepalive_seconds * 1500},
                                              Deadline::Kind::keep_alive, conn.id));
}

void accept(State& state, Connection& conn, const mqtt::Connect& packet) {
  std::string client_id(client_id_of(conn, packet));
  if (client_id.empty()) client_id = assign_client_id(state, conn.listener->auto_id_prefix);
  bool present = false;
  Session& session = open_session(state, packet, client_id, present);
  apply_client_limits(conn, packet);
  session.conn = conn.id;
  session.expires = Instant::never();
  session.queued_messages_max = conn.listener->limits.queued_messages_max;
  session.queued_bytes_max = conn.listener->limits.queued_bytes_max;
  session.protocol_version = static_cast<uint8_t>(packet.version);
  session.expiry_seconds = expiry_of(state, packet);
  if (session.expiry_seconds > 0) sessions::make_durable(state, session);
  if (session.durable) sessions::store_record(state, session, true);
  wills::set(state, session, packet.will);
  authorize::identify(state, session, packet.username);
  conn.session = &session;
  leave_stage(state, conn);
  conn.stage = Stage::connected;
  ++state.counters.connections_now;
  state.counters.connections_max = std::max(state.counters.connections_max, state.counters.connections_now);
  if (!send_connack(state, conn, packet, session, present)) {
    state.out.close(conn.id);
    return lost(state, conn, "its Maximum Packet Size leaves no room for CONNACK");
  }
  watch_keep_alive(state, conn);
  state.events.client_connected(client_id, conn.peer,
                                present           ? "session resumed"
                                : session.durable ? "new session, kept"
                                                  : "clean session");
  if (session.durable) outgoing::resume(state, session);
}

// Whether the store would have to take something for it: a session or a will.
bool needs_store(const State& state, const Connection& conn, const mqtt::Connect& packet) {
  if (packet.will || expiry_of(state, packet) > 0) return true;
  if (packet.clean_start) return false;
  auto found = state.sessions.find(std::string(client_id_of(conn, packet)));
  return found != state.sessions.end() && found->second->durable;
}

bool may_leave_will(const State& state, const Connection& conn, const mqtt::Connect& packet) {
  if (!packet.will) return true;
  access::Identity identity;
  if (packet.username) identity.username = *packet.username;
  identity.client_id = client_id_of(conn, packet);
  return authorize::may_write(state, identity, packet.will->topic);
}

// Nothing is wrong with the packet: accepts it as far as the store goes. `bytes`: all of it.
void admit(State& state, Connection& conn, const mqtt::Connect& packet, std::string_view bytes) {
  if (!may_leave_will(state, conn, packet)) {
    return refuse(state, conn, packet.version, ReasonCode::not_authorized, packet.client_id,
                  "may not publish its will");
  }
  StoreState store = needs_store(state, conn, packet) ? state.store.control : StoreState::ready;
  if (store == StoreState::ready) return accept(state, conn, packet);
  if (store == StoreState::refusing) {
    ++state.counters.refused_store;
    return refuse(state, conn, packet.version, ReasonCode::quota_exceeded, packet.client_id,
                  "the store takes nothing more");
  }
  state.events.client_step({packet.client_id, conn.peer, "CONNECT", "", "waits for the store"});
  leave_stage(state, conn);
  conn.stage = Stage::waiting_for_store;
  conn.connect_packet = std::make_unique<std::string>(bytes);
  state.waiting_for_store.push_back(conn.id);
}

// Of one that was made to wait: others have come since it was looked at, and the listener's rules may have changed.
void admit_if_still_good(State& state, Connection& conn, const mqtt::Connect& packet, std::string_view bytes) {
  ReasonCode reason = refusal(state, conn, packet);
  if (reason == ReasonCode::success) return admit(state, conn, packet, bytes);
  refuse(state, conn, packet.version, reason, packet.client_id, mqtt::name(reason));
}

std::string_view version_word(Version version) {
  return version == Version::v5 ? "MQTT 5.0" : version == Version::v3_1_1 ? "MQTT 3.1.1" : "MQTT 3.1";
}

std::string_view bytes_of(const mqtt::Frame& frame) {
  return {frame.body.data() - (frame.size - frame.body.size()), frame.size};
}

// Whom the transport names is the user, whatever CONNECT says.
void name_user(const Connection& conn, mqtt::Connect& packet) {
  if (conn.identity) packet.username = *conn.identity;
}

mqtt::Connect decode_again(const Connection& conn, std::string_view bytes) {
  auto packet = mqtt::decode_connect(mqtt::frame(bytes, bytes.size()));
  TIDEGATE_CHECK(packet.has_value());
  name_user(conn, *packet);
  return *packet;
}

void detach(State& state, Connection& conn, std::string_view why) {
  Session& session = *conn.session;
  --state.counters.connections_now;
  state.events.client_disconnected(session.client_id, conn.peer, why);
  outgoing::suspend(state, session);
  session.conn = {};
  wills::connection_lost(state, session);
  sessions::detach(state, session);
}

// Whoever it is that does not begin with CONNECT; some are known by their first words.
mqtt::DecodeError not_a_connect(std::string_view bytes) {
  std::string_view what = "first packet is not CONNECT [MQTT-3.1.0-1]";
  if (bytes.starts_with("\x16\x03")) what = "TLS on a port without TLS";
  for (std::string_view method : {"GET ", "HEAD ", "POST ", "PUT ", "OPTIONS "}) {
    if (bytes.starts_with(method)) {
      what = "HTTP on an MQTT port; is this listener meant to be \"transport\": \"websocket\"?";
    }
  }
  return {ReasonCode::protocol_error, what};
}

}  // namespace

void refuse_packet(State& state, Connection& conn, const mqtt::DecodeError& wrong, bool speaks_v5) {
  state.events.client_refused("", conn.peer, wrong.what);
  OutBuffer* buffer = speaks_v5 ? state.out.buffer(conn.id) : nullptr;
  if (buffer) {
    mqtt::Connack connack;
    connack.code = static_cast<uint8_t>(wrong.reason);
    mqtt::encode(connack, Version::v5, buffer->own());
    ++state.counters.packets_sent;
  }
  state.out.close(conn.id);
  forget(state, conn);
}

void first_bytes(State& state, Connection& conn, std::string_view bytes) {
  if (mqtt::type_of(static_cast<uint8_t>(bytes[0])) == mqtt::PacketType::connect) return;
  refuse_packet(state, conn, not_a_connect(bytes), false);
}

void first_packet(State& state, Connection& conn, const mqtt::Frame& frame) {
  if (mqtt::type_of(frame.first) == mqtt::PacketType::connect) ++state.counters.connects_received;
  auto packet = mqtt::decode_connect(frame);
  if (!packet) {
    if (mqtt::type_of(frame.first) == mqtt::PacketType::connect &&
        packet.error().reason == ReasonCode::unsupported_protocol_version) {
      return refuse(state, conn, Version::v3_1_1, packet.error().reason, "", packet.error().what);
    }
    bool is_other = mqtt::type_of(frame.first) != mqtt::PacketType::connect || bytes_of(frame).starts_with("\x16\x03");
    return refuse_packet(state, conn, is_other ? not_a_connect(bytes_of(frame)) : packet.error(),
                         mqtt::names_v5(frame));
  }
  name_user(conn, *packet);
  state.events.client_step({packet->client_id, conn.peer, "CONNECT", "", version_word(packet->version)});
  apply_answer_limits(conn, *packet);
  if (ReasonCode reason = refusal(state, conn, *packet); reason != ReasonCode::success) {
    return refuse(state, conn, packet->version, reason, packet->client_id, mqtt::name(reason));
  }
  if (packet->properties.text(PropertyId::authentication_method)) {  // in place of user name and password
    conn.connect_packet = std::make_unique<std::string>(bytes_of(frame));
    conn.stage = Stage::checking_credentials;
    return state.out.ask_to_authenticate(conn.id);
  }
  if (packet->username && !conn.identity && conn.listener->check_credentials) {
    conn.stage = Stage::checking_credentials;
    state.events.client_step({packet->client_id, conn.peer, "CONNECT", "", "the log-in is checked"});
    conn.connect_packet = std::make_unique<std::string>(bytes_of(frame));
    return state.out.check_credentials(conn.id, *packet->username, packet->password.value_or(std::string_view{}));
  }
  admit(state, conn, *packet, bytes_of(frame));
}

void credentials_checked(State& state, Connection& conn, bool right) {
  std::unique_ptr<std::string> bytes = std::move(conn.connect_packet);
  mqtt::Connect packet = decode_again(conn, *bytes);
  conn.last_received = state.now.mono;
  if (!right) {
    return refuse(state, conn, packet.version, ReasonCode::bad_user_name_or_password, packet.client_id,
                  "bad user name or password");
  }
  ConnId id = conn.id;
  admit_if_still_good(state, conn, packet, *bytes);
  state.out.resume(id);
}

void may_authenticate(State& state, Connection& conn) {
  ConnId id = conn.id;
  conn.last_received = state.now.mono;
  std::string bytes = *conn.connect_packet;  // kept for the end, and read until the exchange has begun
  authentication::begin(state, conn, decode_again(conn, bytes));
  state.out.resume(id);
}

void too_busy_to_check(State& state, Connection& conn) {
  std::unique_ptr<std::string> bytes = std::move(conn.connect_packet);
  mqtt::Connect packet = decode_again(conn, *bytes);
  refuse(state, conn, packet.version, ReasonCode::server_busy, packet.client_id, "too many log-ins wait");
}

void authenticated(State& state, Connection& conn, bool right) {
  std::unique_ptr<std::string> bytes = std::move(conn.connect_packet);
  mqtt::Connect packet = decode_again(conn, *bytes);
  if (!right) {
    return refuse(state, conn, packet.version, ReasonCode::not_authorized, packet.client_id, "authentication failed");
  }
  admit_if_still_good(state, conn, packet, *bytes);
}

void store_changed(State& state) {
  for (ConnId id : std::vector<ConnId>(state.waiting_for_store)) {
    Connection* conn = state.find(id);
    if (!conn) continue;
    std::unique_ptr<std::string> bytes = std::move(conn->connect_packet);
    mqtt::Connect packet = decode_again(*conn, *bytes);
    conn->last_received = state.now.mono;
    admit_if_still_good(state, *conn, packet, *bytes);
    state.out.resume(id);
  }
}

void disconnect(State& state, Connection& conn, const mqtt::Disconnect& packet) {
  Session& session = *conn.session;
  if (auto expiry = packet.properties.integer(PropertyId::session_expiry_interval)) {
    if (session.expiry_seconds == 0 && *expiry != 0) {  // 3.14.2.2.2
      return kick(state, conn, ReasonCode::protocol_error, "session expiry set at disconnect");
    }
    session.expiry_seconds = std::min(*expiry, static_cast<uint32_t>(state.limits.session_expiry_max.count()));
  }
  if (packet.reason == ReasonCode::success) wills::discard(state, session);
  detach(state, conn, "disconnected");
  state.out.close(conn.id);
  forget(state, conn);
}

void kick(State& state, Connection& conn, ReasonCode reason, std::string_view why) {
  if (conn.stage == Stage::connected) {
    if (conn.version == Version::v5) {
      state.scratch.clear();
      encode_with_reason(conn, mqtt::Disconnect{reason, {}}, conn.version, why, state.scratch);
      bool fits = conn.packet_bytes_max == 0 || state.scratch.size() <= conn.packet_bytes_max;
      OutBuffer* buffer = state.out.buffer(conn.id);
      if (buffer && fits && state.gate.is_committed(conn.connack_after)) {
        buffer->own().append(state.scratch);
        ++state.counters.packets_sent;
      }
    }
    detach(state, conn, why);
  } else {
    state.events.client_refused("", conn.peer, why);
  }
  state.out.close(conn.id);
  forget(state, conn);
}

void lost(State& state, Connection& conn, std::string_view why) {
  if (conn.stage == Stage::connected) detach(state, conn, why);
  forget(state, conn);
}

}  // namespace tidegate::broker::connect
