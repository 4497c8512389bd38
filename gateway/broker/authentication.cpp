#include "gateway/broker/authentication.h"

#include "gateway/broker/connect.h"
#include "gateway/mqtt/decode.h"
#include "gateway/mqtt/encode.h"

namespace tidegate::broker::authentication {
namespace {

using mqtt::PropertyId;
using mqtt::ReasonCode;
using Step = AuthExchange::Step;

bool is_connected(const Connection& conn) {
  return conn.stage == Connection::Stage::connected;
}

void refuse(State& state, Connection& conn) {
  state.out.authentication_failed(conn.id);
  if (is_connected(conn)) return connect::kick(state, conn, ReasonCode::not_authorized, "authentication failed");
  connect::authenticated(state, conn, false);
}

void protocol_error(State& state, Connection& conn, std::string_view why) {
  if (is_connected(conn)) return connect::kick(state, conn, ReasonCode::protocol_error, why);
  connect::refuse_packet(state, conn, {ReasonCode::protocol_error, why}, true);
}

// False: it does not fit the client's Maximum Packet Size.
bool send(State& state, Connection& conn, ReasonCode reason, std::string_view data) {
  std::string properties;
  mqtt::PropertyWriter writer(properties);
  writer.text(PropertyId::authentication_method, conn.authentication->method);  // [MQTT-4.12.0-5]
  if (!data.empty()) writer.text(PropertyId::authentication_data, data);
  state.scratch.clear();
  mqtt::encode(mqtt::Auth{reason, mqtt::Properties::of_valid_wire(properties)}, state.scratch);
  if (conn.packet_bytes_max != 0 && state.scratch.size() > conn.packet_bytes_max) return false;
  state.send_in_order(conn, state.scratch);
  return true;
}

// Who has named itself once stays that user: by its certificate, or by the exchange before this one.
bool is_same_user(const Connection& conn, std::string_view username) {
  return !conn.identity || *conn.identity == username;
}

void advance(State& state, Connection& conn, std::string_view data) {
  Authentication& auth = *conn.authentication;
  Step step = auth.exchange->next(data);
  if (step.kind == Step::Kind::go_on) {
    if (!send(state, conn, ReasonCode::continue_authentication, step.data)) refuse(state, conn);
    return;
  }
  auth.exchange.reset();
  if (step.kind == Step::Kind::refused || !is_same_user(conn, step.username)) return refuse(state, conn);
  if (is_connected(conn)) {
    if (!send(state, conn, ReasonCode::success, step.data)) refuse(state, conn);
    return;
  }
  conn.identity = std::make_unique<std::string>(step.username);
  auth.final_data = std::move(step.data);
  connect::authenticated(state, conn, true);
}

std::string_view data_of(mqtt::Properties properties) {
  return properties.text(PropertyId::authentication_data).value_or(std::string_view{});
}

}  // namespace

void begin(State& state, Connection& conn, const mqtt::Connect& packet) {
  std::string method(packet.properties.text(PropertyId::authentication_method).value());
  auto exchange = state.authenticator->begin(method);
  conn.authentication = std::make_unique<Authentication>(Authentication{std::move(method), std::move(exchange), {}});
  conn.stage = Connection::Stage::authenticating;
  // The time for CONNECT may have passed while it was made to wait.
  state.deadlines.add(Deadline::of_connection(state.now.mono + conn.listener->limits.connect_timeout,
                                              Deadline::Kind::connect_timeout, conn.id));
  if (!conn.authentication->exchange) return refuse(state, conn);
  advance(state, conn, data_of(packet.properties));
}

void packet_before_connack(State& state, Connection& conn, const mqtt::Frame& frame) {
  auto type = mqtt::type_of(frame.first);
  if (type != mqtt::PacketType::auth && type != mqtt::PacketType::disconnect) {
    return protocol_error(state, conn, "neither AUTH nor DISCONNECT before CONNACK [MQTT-3.1.2-30]");
  }
  auto decoded = mqtt::decode(frame, mqtt::Version::v5);
  if (!decoded) return connect::refuse_packet(state, conn, decoded.error(), true);
  if (auto* auth = std::get_if<mqtt::Auth>(&*decoded)) return packet(state, conn, *auth);
  connect::kick(state, conn, ReasonCode::success, "disconnected");
}

void packet(State& state, Connection& conn, const mqtt::Auth& packet) {
  auto wrong = [&](std::string_view why) { protocol_error(state, conn, why); };
  Authentication* auth = conn.authentication.get();
  if (!auth) return wrong("AUTH without a method in CONNECT [MQTT-4.12.0-7]");
  if (packet.properties.text(PropertyId::authentication_method) != auth->method) {
    return wrong("AUTH with another method than CONNECT [MQTT-4.12.0-5]");
  }
  if (packet.reason == ReasonCode::reauthenticate) {
    if (!is_connected(conn) || auth->exchange) return wrong("an authentication is under way");
    auth->exchange = state.authenticator->begin(auth->method);
    if (!auth->exchange) return refuse(state, conn);
  } else if (packet.reason != ReasonCode::continue_authentication || !auth->exchange) {
    return wrong("AUTH that nothing asked for");
  }
  advance(state, conn, data_of(packet.properties));
}

}  // namespace tidegate::broker::authentication
