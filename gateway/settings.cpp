#include "gateway/settings.h"

#include <algorithm>

namespace tidegate {
namespace {

bool accepts(const config::Listener& listener, config::ProtocolVersion version) {
  const auto& accepted = listener.protocol_versions;
  return std::find(accepted.begin(), accepted.end(), version) != accepted.end();
}

bridge::Direction direction_of(config::Direction direction) {
  switch (direction) {
    case config::Direction::out: return bridge::Direction::out;
    case config::Direction::in: return bridge::Direction::in;
    case config::Direction::both: return bridge::Direction::both;
  }
  return bridge::Direction::out;
}

bridge::ProtocolVersion version_of(config::BridgeProtocol version) {
  switch (version) {
    case config::BridgeProtocol::automatic: return bridge::ProtocolVersion::automatic;
    case config::BridgeProtocol::v5_0: return bridge::ProtocolVersion::v5;
    case config::BridgeProtocol::v3_1_1: return bridge::ProtocolVersion::v311;
  }
  return bridge::ProtocolVersion::automatic;
}

bridge::Rule rule_of(const config::Rule& rule) {
  bridge::Rule to;
  to.topic = rule.topic;
  to.direction = direction_of(rule.direction);
  to.qos = rule.qos;
  to.local_prefix = rule.local_prefix;
  to.remote_prefix = rule.remote_prefix;
  to.queue_qos0 = rule.queue_qos0;
  to.retain = rule.retain == config::RetainFlag::keep ? bridge::RetainPolicy::keep : bridge::RetainPolicy::clear;
  return to;
}

uint32_t at_most_32_bits(uint64_t value) {
  return static_cast<uint32_t>(std::min<uint64_t>(value, UINT32_MAX));
}

std::vector<net::AddressRange> ranges_of(const std::vector<std::string>& texts) {
  std::vector<net::AddressRange> ranges;
  for (const std::string& each : texts) {
    if (auto range = net::AddressRange::parse(each)) ranges.push_back(*range);
  }
  return ranges;
}

template <class Duration>
Duration at_least_one(Millis value) {
  return std::max(std::chrono::ceil<Duration>(value), Duration{1});
}

}  // namespace

broker::Limits limits_of(const config::Limits& limits) {
  broker::Limits to;
  to.packet_bytes_max = static_cast<uint32_t>(limits.max_packet_size);
  to.inflight_messages_max = limits.max_inflight_messages;
  to.queued_messages_max = limits.max_queued_messages;
  to.queued_bytes_max = limits.max_queued_bytes;
  to.output_bytes_max = limits.max_output_buffer;
  to.subscriptions_max = limits.max_subscriptions;
  to.topic_levels_max = limits.max_topic_levels;
  to.retained_messages_max = limits.max_retained_messages;
  to.retained_bytes_max = limits.max_retained_bytes;
  to.sessions_max = limits.max_sessions;
  to.topic_aliases_max = limits.max_topic_alias;
  to.topic_aliases_out_max = limits.max_topic_alias_broker;
  to.receive_max = limits.receive_maximum;
  to.keepalive_max = at_least_one<Seconds>(limits.max_keepalive);
  to.session_expiry_max =
      limits.max_session_expiry ? at_least_one<Seconds>(*limits.max_session_expiry) : Seconds{0xFFFFFFFF};
  to.connect_timeout = at_least_one<Seconds>(limits.connect_timeout);
  to.refuse_after = at_least_one<Seconds>(limits.refuse_after);
  return to;
}

net::TlsOptions tls_of(const config::ListenerTls& tls) {
  net::TlsOptions to;
  to.cert_file = tls.cert_file;
  to.key_file = tls.key_file;
  to.ca_file = tls.ca_file;
  to.ca_path = tls.ca_path;
  to.crl_file = tls.crl_file;
  to.require_certificate = tls.require_certificate;
  to.use_identity_as_username = tls.use_identity_as_username;
  to.use_subject_as_username = tls.use_subject_as_username;
  to.psk_file = tls.psk_file;
  to.psk_hint = tls.psk_hint;
  to.min_version = tls.min_version == config::TlsVersion::v1_3 ? net::TlsVersion::v1_3 : net::TlsVersion::v1_2;
  to.ciphers = tls.ciphers;
  to.ciphers_tls1_3 = tls.ciphers_tls1_3;
  to.alpn = tls.alpn;
  return to;
}

net::ListenerOptions listener_of(const config::Listener& listener, const config::Access& access) {
  net::ListenerOptions to;
  to.bind = listener.bind;
  to.port = listener.port;
  to.connections_max = listener.limits.max_connections;
  to.policy.name = listener.name;
  to.policy.allow_anonymous = listener.allow_anonymous;
  to.policy.check_credentials = !access.logins.empty() || !listener.allow_anonymous;
  to.policy.accept_v3_1 = accepts(listener, config::ProtocolVersion::v3_1);
  to.policy.accept_v3_1_1 = accepts(listener, config::ProtocolVersion::v3_1_1);
  to.policy.accept_v5 = accepts(listener, config::ProtocolVersion::v5_0);
  to.policy.max_qos = listener.max_qos;
  to.policy.retain_available = listener.retain_available;
  to.policy.response_information = listener.response_information;
  to.policy.limits = limits_of(listener.limits);
  if (listener.tls) to.tls = tls_of(*listener.tls);
  if (listener.transport == config::Transport::unix_socket) {
    to.unix_socket = {listener.path, listener.mode, listener.owner};
  }
  if (listener.transport == config::Transport::websocket) to.websocket = {listener.http_paths, listener.origins};
  to.proxy_protocol = listener.proxy_protocol;
  to.trusted_proxies = ranges_of(listener.trusted_proxies);
  to.policy.client_id_prefixes = listener.client_id_prefixes;
  to.policy.use_username_as_client_id = listener.use_username_as_client_id;
  to.policy.allow_empty_client_id = listener.allow_empty_client_id;
  to.policy.auto_id_prefix = listener.auto_id_prefix;
  to.admission.allow = ranges_of(listener.allow_addresses);
  to.admission.deny = ranges_of(listener.deny_addresses);
  to.admission.connections_per_address_max = at_most_32_bits(listener.limits.max_connections_per_address);
  to.admission.connect_rate = at_most_32_bits(listener.limits.connect_rate);
  to.admission.connect_burst = listener.limits.connect_burst;
  return to;
}

net::GuardLimits guards_of(const config::Limits& limits) {
  net::GuardLimits to;
  to.connect_rate = at_most_32_bits(limits.connect_rate);
  to.connect_burst = limits.connect_burst;
  to.login_delay_max = limits.max_login_delay.value_or(Millis{0});
  return to;
}

std::shared_ptr<const access::Acl> acl_of(const config::Access& access) {
  return access.restricted ? access::Acl::make(access.rules) : nullptr;
}

bridge::Options bridge_of(const config::Bridge& bridge) {
  bridge::Options to;
  to.name = bridge.name;
  to.start_type = bridge.start_type == config::StartType::off ? bridge::StartType::off : bridge::StartType::automatic;
  for (const config::Address& address : bridge.addresses) to.addresses.push_back({address.host, address.port});
  to.protocol_version = version_of(bridge.protocol_version);
  to.client_id = bridge.client_id;
  to.username = bridge.username.value_or("");
  to.password = bridge.password ? bridge.password->reveal() : "";
  to.clean_session = bridge.clean_session;
  to.keepalive = at_least_one<Seconds>(bridge.keepalive);
  if (bridge.tls) {
    to.tls.enabled = true;
    to.tls.ca_file = bridge.tls->ca_file;
    to.tls.ca_path = bridge.tls->ca_path;
    to.tls.cert_file = bridge.tls->cert_file;
    to.tls.key_file = bridge.tls->key_file;
    to.tls.verify_host = bridge.tls->verify_host;
  }
  to.restart_timeout = {bridge.restart_timeout.base, bridge.restart_timeout.cap, bridge.restart_timeout.stable_after};
  to.window = bridge.window;
  for (const config::Rule& rule : bridge.rules) to.rules.push_back(rule_of(rule));
  to.queue = {bridge.queue.max_bytes, bridge.queue.max_messages, bridge.queue.alarm_at};
  to.qos0_lane_bytes = bridge.queue.max_qos0_bytes;
  to.notifications = bridge.notifications;
  to.notifications_local_only = bridge.notifications_local_only;
  to.notification_topic = bridge.notification_topic;
  return to;
}

store::Durability durability_of(config::Durability durability) {
  switch (durability) {
    case config::Durability::always: return store::Durability::always;
    case config::Durability::interval: return store::Durability::interval;
    case config::Durability::os: return store::Durability::os;
  }
  return store::Durability::always;
}

}  // namespace tidegate
