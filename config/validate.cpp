#include "config/validate.h"

#include <algorithm>

#include "config/units.h"

namespace tidegate::config {
namespace {

constexpr uint16_t tls_port = 8883;

std::string nth(const char* list, size_t i) {
  return child_pointer(list, i);
}

bool all_of_a_family(const std::string& bind) {
  return bind == "0.0.0.0" || bind == "::";
}

// The two cannot listen on one port together.
bool collide(const std::string& a, const std::string& b) {
  if (a == b) return true;
  bool a_is_v6 = a.find(':') != std::string::npos, b_is_v6 = b.find(':') != std::string::npos;
  bool both_addresses = is_ip_address(a) && is_ip_address(b);
  return both_addresses && a_is_v6 == b_is_v6 && (all_of_a_family(a) || all_of_a_family(b));
}

void check_pairs_of_listeners(const Config& config, Findings& findings) {
  for (size_t j = 0; j < config.listeners.size(); ++j) {
    for (size_t i = 0; i < j; ++i) {
      const Listener &a = config.listeners[i], &b = config.listeners[j];
      std::string first = nth("/listeners", i), second = nth("/listeners", j);
      if (a.name == b.name && !b.name.empty())
        findings.error(second + "/name", "the name \"" + b.name + "\" belongs to the listener in " +
                                             findings.line_of(first + "/name", second) + " already");
      if (!a.path.empty() && a.path == b.path)
        findings.error(second + "/path", "the socket belongs to the listener in " +
                                             findings.line_of(first + "/path", second) + " already");
      if (a.port == b.port && !a.bind.empty() && !b.bind.empty() && collide(a.bind, b.bind))
        findings.error(second + "/bind",
                       "port " + std::to_string(b.port) + " of " + b.bind + " is taken by the listener in " +
                           findings.line_of(first, second) + " (" + a.bind + ")",
                       {second + "/bind", second + "/port", first + "/bind", first + "/port"});
    }
  }
}

void check_listener(const Config& config, size_t i, const Outside& outside, Findings& findings) {
  const Listener& listener = config.listeners[i];
  std::string at = nth("/listeners", i);
  bool named_by_tls = listener.tls && (listener.tls->use_identity_as_username || listener.tls->use_subject_as_username);
  if (!listener.allow_anonymous && config.access.logins.empty() && !named_by_tls)
    findings.error(at,
                   "this listener lets nobody in: add a user under access.users or an access.password_file, or write "
                   "\"allow_anonymous\": true",
                   {"/access", at + "/allow_anonymous", at + "/tls"});
  if (listener.allow_anonymous && !is_loopback(listener.bind) && !listener.bind.empty())
    findings.warning(at + "/allow_anonymous",
                     "everybody who reaches " + listener.bind + ":" + std::to_string(listener.port) +
                         " may read and write every topic: write false and add users under access.users",
                     {at + "/bind", at + "/allow_anonymous"});
  validate_transport(listener, at, findings);
  validate_tls(listener, at, outside, findings);
  if (listener.port == tls_port && !listener.tls)
    findings.warning(at + "/port",
                     "8883 is the port of MQTT over TLS, and this listener has no TLS: devices that expect it will not "
                     "connect; write \"tls\": { \"cert_file\": ..., \"key_file\": ... }",
                     {at + "/port", at + "/tls"});
  if (listener.limits.max_packet_size > listener.limits.max_queued_bytes)
    findings.warning(at + "/limits",
                     "max_packet_size is above max_queued_bytes: the largest packets cannot wait for a "
                     "device that is away",
                     {"/limits", at + "/limits"});
}

void warn_of_idle_keys(const LogDestination& to, const std::string& at, Findings& findings) {
  bool file = to.type == LogTo::file, syslog = to.type == LogTo::syslog, journal = to.type == LogTo::journal;
  struct Use {
    const char* key;
    bool used;
    const char* of;
  };
  for (const Use& use :
       {Use{"/path", file || syslog || journal, "file"}, Use{"/max_size", file, "file"}, Use{"/keep", file, "file"},
        Use{"/facility", syslog, "syslog"}, Use{"/by_component", to.type == LogTo::topic, "topic"}})
    if (!use.used && findings.written(at + use.key))
      findings.warning(at + use.key, std::string("has no effect: the destination is no ") + use.of, {at + "/type"});
  if (journal && findings.written(at + "/format"))
    findings.warning(at + "/format", "has no effect: a journal has fields", {at + "/type"});
}

void check_limits(const Config& config, Findings& findings) {
  const Limits& limits = config.limits;
  if (limits.max_connections > limits.max_sessions)
    findings.warning("/limits/max_sessions",
                     "a connected client has a session, too: of max_connections, " +
                         std::to_string(limits.max_connections) + ", only " + std::to_string(limits.max_sessions) +
                         " get in",
                     {"/limits/max_connections", "/limits/max_sessions"});
}

void check_box(const Config& config, Findings& findings) {
  for (size_t i = 0; i < config.log.destinations.size(); ++i) {
    const LogDestination& to = config.log.destinations[i];
    std::string at = nth("/log/destinations", i);
    if (to.type == LogTo::file && to.path.empty())
      findings.error(at, "the key \"path\" is missing: expected the file to write to", {at + "/path", at + "/type"});
    warn_of_idle_keys(to, at, findings);
  }
  uint64_t sum = 0;
  for (const Bridge& bridge : config.bridges)
    sum += std::min(bridge.queue.max_bytes, config.store.max_bytes);  // unlimited: the store decides
  bool bounded = std::ranges::none_of(config.bridges, [](const Bridge& b) { return b.queue.max_bytes == unlimited; });
  if (bounded && config.store.max_bytes != unlimited && sum > config.store.max_bytes)
    findings.warning("/store/max_bytes",
                     "the queues of all bridges may take " + size_text(sum) + " together, and the store only " +
                         size_text(config.store.max_bytes) + ": it is full before they are",
                     {"/bridges", "/store/max_bytes"});
}

}  // namespace

void validate_lan(const Config& config, const Outside& outside, Findings& findings) {
  bool written = findings.written("/listeners");
  if (written && config.listeners.empty()) findings.warning("/listeners", "no listener: no device can connect");
  if (written) {
    check_pairs_of_listeners(config, findings);
    for (size_t i = 0; i < config.listeners.size(); ++i) check_listener(config, i, outside, findings);
  }
}

void validate(const Config& config, const Places& places, Reading& reading) {
  Findings findings(places, reading);
  validate_lan(config, reading.outside(), findings);
  validate_access(config, findings);
  validate_bridges(config, findings);
  check_limits(config, findings);
  check_box(config, findings);
}

}  // namespace tidegate::config
