#include "config/mosquitto.h"

#include <algorithm>
#include <array>
#include <vector>

#include "config/units.h"

namespace tidegate::config {
namespace {

// How the value is written here. none: the text of `ours` is complete.
enum class As : uint8_t { none, text, list, number, limit, seconds, size, boolean, inverted };

struct Spelling {
  std::string_view theirs;
  std::string_view where;  // the section `ours` belongs in; "*": no key of ours, `ours` is the whole answer
  std::string_view ours;   // @ stands for the value
  As as = As::none;
};

constexpr Spelling spellings[] = {
    // listeners
    {"listener", "listeners[]", R"("port": @, "bind": "0.0.0.0")", As::number},
    {"bind_address", "listeners[]", R"("bind": @)", As::text},
    {"bind_interface", "listeners[]", R"("bind": @)", As::text},
    {"address", "listeners[]", R"("bind": @)", As::text},
    {"protocol", "listeners[]", R"("transport": @)", As::text},
    {"websockets_origin", "listeners[]", R"("origins": @)", As::list},
    {"enable_proxy_protocol", "listeners[]", R"("proxy_protocol": true, "trusted_proxies": ["..."])"},
    {"accept_protocol_versions", "listeners[]", R"("protocol_versions": ["3.1", "3.1.1", "5.0"])"},
    {"listener_allow_anonymous", "listeners[]", R"("allow_anonymous": @)", As::boolean},
    {"allow_anonymous", "listeners[]", R"("allow_anonymous": @)", As::boolean},
    {"clientid_prefixes", "listeners[]", R"("client_id_prefixes": @)", As::list},
    {"global_max_connections", "limits", R"("max_connections": @)", As::number},
    {"global_max_clients", "limits", R"("max_sessions": @)", As::number},
    {"message_size_limit", "limits", R"("max_packet_size": @)", As::size},
    {"persistent_client_expiration", "limits", R"("max_session_expiry": "30d")"},
    {"max_inflight_bytes", "limits", R"("max_uncommitted_bytes": @)", As::size},
    {"port", "listeners[]", R"("port": @)", As::number},
    // bridges
    {"connection", "bridges[]", R"("name": @)", As::text},
    {"address", "bridges[]", R"("addresses": @)", As::list},
    {"topic", "bridges[]", R"("rules": [{ "topic": "...", "direction": "out", "qos": 1 }])"},
    {"topics", "bridges[]", R"("rules": [{ "topic": "...", "direction": "out", "qos": 1 }])"},
    {"cleansession", "bridges[]", R"("clean_session": @)", As::boolean},
    {"remote_clientid", "bridges[]", R"("client_id": @)", As::text},
    {"clientid", "bridges[]", R"("client_id": @)", As::text},
    {"remote_username", "bridges[]", R"("username": @)", As::text},
    {"remote_password", "bridges[]", R"("password": "file:PATH")"},
    {"keepalive_interval", "bridges[]", R"("keepalive": @)", As::seconds},
    {"bridge_protocol_version", "bridges[]", R"("protocol_version": @)", As::text},
    {"bridge_outgoing_retain", "bridges[].rules[]", R"("retain": @)", As::inverted},
    {"bridge_receive_maximum", "bridges[]", R"("window": @)", As::number},
    {"queue_qos0_messages", "bridges[].rules[]", R"("queue_qos0": @)", As::boolean},
    // listeners' TLS
    {"cafile", "listeners[].tls", R"("ca_file": @)", As::text},
    {"capath", "listeners[].tls", R"("ca_path": @)", As::text},
    {"certfile", "listeners[].tls", R"("cert_file": @)", As::text},
    {"keyfile", "listeners[].tls", R"("key_file": @)", As::text},
    {"crlfile", "listeners[].tls", R"("crl_file": @)", As::text},
    {"ciphers_tls1.3", "listeners[].tls", R"("ciphers_tls1_3": @)", As::text},
    {"tls_version", "listeners[].tls", R"("min_version": @)", As::text},
    // bridges' TLS
    {"cafile", "bridges[].tls", R"("ca_file": @)", As::text},
    {"capath", "bridges[].tls", R"("ca_path": @)", As::text},
    {"certfile", "bridges[].tls", R"("cert_file": @)", As::text},
    {"keyfile", "bridges[].tls", R"("key_file": @)", As::text},
    {"bridge_cafile", "bridges[].tls", R"("ca_file": @)", As::text},
    {"bridge_capath", "bridges[].tls", R"("ca_path": @)", As::text},
    {"bridge_certfile", "bridges[].tls", R"("cert_file": @)", As::text},
    {"bridge_keyfile", "bridges[].tls", R"("key_file": @)", As::text},
    {"insecure", "bridges[].tls", R"("verify_host": @)", As::inverted},
    {"bridge_insecure", "bridges[].tls", R"("verify_host": @)", As::inverted},
    {"bridge_tls_use_os_certs", "bridges[]", R"("tls": {})"},
    // the box
    {"persistence_location", "store", R"("path": @)", As::text},
    {"persistence", "*", "what is promised is always on disk; \"store\" says where"},
    {"persistence_file", "*", "the store is a folder: \"store\": { \"path\": ... }"},
    {"autosave_interval", "*", "not needed: every acknowledged message is on disk already"},
    {"autosave_on_changes", "*", "not needed: every acknowledged message is on disk already"},
    {"retry_interval", "*", "not needed: MQTT sends again at a reconnect only"},
    {"per_listener_settings", "*", "not needed: write it in the listener"},
    {"log_type", "log", R"("level": "info")"},
    {"log_timestamp", "log", R"("timestamp": "iso8601")"},
    {"log_timestamp_format", "log", R"("timestamp": "iso8601")"},
    {"log_facility", "log.destinations[]", R"("type": "syslog", "facility": "local0")"},
    {"log_dest", "log", R"("destinations": [{ "type": "stderr" }])"},
    {"password_file", "access", R"("password_file": @)", As::text},
    {"acl_file", "access", R"("acl_file": @)", As::text},
    // limits that have the same name here, but stand elsewhere
    {"max_keepalive", "limits", R"("max_keepalive": @)", As::seconds},
    {"max_packet_size", "limits", R"("max_packet_size": @)", As::size},
    {"max_queued_bytes", "limits", R"("max_queued_bytes": @)", As::size},
    {"max_queued_messages", "limits", R"("max_queued_messages": @)", As::limit},
    {"max_inflight_messages", "limits", R"("max_inflight_messages": @)", As::number},
    {"max_topic_alias", "limits", R"("max_topic_alias": @)", As::number},
    {"max_topic_alias_broker", "limits", R"("max_topic_alias_broker": @)", As::number},
    {"max_qos", "listeners[]", R"("max_qos": @)", As::number},
    {"retain_available", "listeners[]", R"("retain_available": @)", As::boolean},
    {"sys_interval", "gateway", R"("sys_interval": @)", As::seconds},
    {"pid_file", "gateway", R"("pid_file": @)", As::text},
    {"memory_limit", "gateway", R"("memory_limit": @)", As::size},
    {"connection_messages", "log", R"("connection_messages": @)", As::boolean},
};

std::string in_quotes(std::string_view text) {
  return '"' + std::string(text) + '"';
}

std::optional<bool> says_yes(const Node& value) {
  if (value.kind == Kind::boolean) return value.boolean;
  if (value.text == "true" || value.text == "1") return true;
  if (value.text == "false" || value.text == "0") return false;
  return std::nullopt;
}

std::string_view word_of_ours(std::string_view theirs) {
  constexpr std::array<std::array<std::string_view, 2>, 8> words = {{{"websockets", "websocket"},
                                                                     {"tlsv1.2", "1.2"},
                                                                     {"tlsv1.3", "1.3"},
                                                                     {"mqtt", "tcp"},
                                                                     {"mqttv31", "3.1.1"},
                                                                     {"mqttv311", "3.1.1"},
                                                                     {"mqttv50", "5.0"},
                                                                     {"mqttv5", "5.0"}}};
  for (const auto& word : words)
    if (word[0] == theirs) return word[1];
  return theirs;
}

// `value` as it is written here; none: it cannot be said.
std::optional<std::string> converted(const Node& value, As as) {
  bool scalar = value.kind == Kind::string || value.kind == Kind::number;
  auto number = parse_whole(value.text);
  auto yes = says_yes(value);
  switch (as) {
    case As::none: return "";
    case As::text: return scalar ? std::optional(in_quotes(word_of_ours(value.text))) : std::nullopt;
    case As::list: return scalar ? std::optional("[" + in_quotes(value.text) + "]") : std::nullopt;
    case As::number: return number ? std::optional(std::to_string(*number)) : std::nullopt;
    case As::limit:
      if (!number) return std::nullopt;
      return *number == 0 ? in_quotes("unlimited") : std::to_string(*number);
    case As::seconds:
      if (number && *number == 0) return in_quotes("off");
      if (number && *number <= 1'000'000'000) return in_quotes(std::to_string(*number) + "s");
      return parse_duration(value.text) ? std::optional(in_quotes(value.text)) : std::nullopt;
    case As::size:
      if (number && *number == 0) return in_quotes("unlimited");
      if (number) return in_quotes(size_text(*number));
      return parse_size(value.text) ? std::optional(in_quotes(value.text)) : std::nullopt;
    case As::boolean: return yes ? std::optional<std::string>(*yes ? "true" : "false") : std::nullopt;
    case As::inverted: return yes ? std::optional<std::string>(*yes ? "false" : "true") : std::nullopt;
  }
  return std::nullopt;
}

// The entry for `key` that fits the section best: in it, inside it, in its top-level branch, else the first.
const Spelling* find_spelling(std::string_view where, std::string_view key) {
  const Spelling* best = nullptr;
  int best_fit = -1;
  for (const Spelling& s : spellings) {
    if (s.theirs != key) continue;
    bool inside = !where.empty() && s.where.starts_with(where);
    bool same_branch = !where.empty() && s.where.substr(0, 3) == where.substr(0, 3);
    int fit = s.where == where ? 3 : inside ? 2 : same_branch ? 1 : 0;
    if (fit <= best_fit) continue;
    best = &s;
    best_fit = fit;
  }
  return best;
}

std::string filled_in(const Spelling& spelling, const Node& value) {
  std::string out(spelling.ours);
  size_t at = out.find('@');
  if (at == std::string::npos) return out;
  auto text = converted(value, spelling.as);
  bool retain = spelling.ours.starts_with(R"("retain")");
  if (text && retain) text = *text == "true" ? R"("clear")" : R"("keep")";
  return out.replace(at, 1, text.value_or("..."));
}

}  // namespace

std::optional<std::string> mosquitto_key_hint(std::string_view where, const Member& member) {
  const Spelling* spelling = find_spelling(where, member.key);
  if (spelling == nullptr) return std::nullopt;
  if (spelling->where == "*") return "it is Mosquitto's; " + std::string(spelling->ours);
  std::string hint = "it is Mosquitto's spelling; write " + filled_in(*spelling, member.value);
  if (spelling->where != where) hint += " in " + std::string(spelling->where);
  return hint;
}

std::optional<std::string> mosquitto_value_hint(std::string_view where, const Node& value) {
  if (where == "bridges[].tls" && says_yes(value) == true) return "{}";
  if (where != "bridges[].restart_timeout") return std::nullopt;
  constexpr std::array<std::string_view, 3> keys = {"base", "cap", "stable_after"};
  std::string out;
  std::string_view rest = value.text;
  size_t used = 0;
  while (!rest.empty() && used < keys.size()) {
    std::string_view part = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    if (!parse_whole(part) && !parse_duration(part)) return std::nullopt;
    std::string duration = std::string(part) + (parse_whole(part) ? "s" : "");
    out += (used > 0 ? ", " : "") + in_quotes(keys[used]) + ": " + in_quotes(duration);
    ++used;
  }
  if (used == 0) return std::nullopt;
  return "{ " + out + " }";
}

bool is_mosquitto_key(std::string_view key) {
  return std::ranges::find(spellings, key, &Spelling::theirs) != std::end(spellings);
}

}  // namespace tidegate::config
