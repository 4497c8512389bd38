// The LAN side: limits, listeners.
#include "config/schema.h"

namespace tidegate::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Millis day = hours(24);
constexpr size_t text_bytes_max = 4096;

// The keys that a listener may set for itself.
Section<Limits> per_listener_limits(std::string where, std::string doc) {
  constexpr uint32_t million = 1'000'000;
  Section<Limits> s(std::move(where), std::move(doc));
  s.key("max_connections", &Limits::max_connections, count32({1, million}), Applies::live,
        "Open connections: in `limits` of all listeners together, in a listener its own. Beyond: the "
        "newest is closed and counted.");
  s.key("connect_timeout", &Limits::connect_timeout, duration({Seconds(1), minutes(5)}), Applies::live,
        "From accept to a complete CONNECT. Then: closed.");
  s.key("max_packet_size", &Limits::max_packet_size, size({1 * KiB, 256 * MiB}), Applies::live,
        "A whole packet, both ways; told to 5.0 clients. Larger from a client: DISCONNECT 0x95, closed. Larger to a "
        "client: not sent to that one, counted.");
  s.key("max_inflight_messages", &Limits::max_inflight_messages, count16({1, 65535}), Applies::live,
        "QoS 1 and 2 messages in flight to a client: the lower of this and its Receive Maximum; the rest waits in its "
        "session.");
  s.key(
      "max_output_buffer", &Limits::max_output_buffer, size({64 * KiB, 1 * GiB}), Applies::live,
      "Bytes waiting to be written to one connection. Beyond: it is not read, and QoS 0 to it is dropped and counted, "
      "but for the retained messages of a SUBSCRIBE, which waits until it is within (at most as many bytes as are "
      "retained); QoS 1 and 2 are bounded by max_inflight_messages.");
  s.key("max_queued_messages", &Limits::max_queued_messages, count({1, unlimited}, Lifted::allowed), Applies::live,
        "Messages waiting for one session. Beyond: the newest is dropped and counted.");
  s.key("max_queued_bytes", &Limits::max_queued_bytes, size({64 * KiB, unlimited}, Lifted::allowed), Applies::live,
        "As max_queued_messages, in bytes; whichever is reached first.");
  s.key("max_keepalive", &Limits::max_keepalive, duration({Seconds(1), Seconds(65535)}), Applies::live,
        "The longest time without a packet. A client that asks for more, or for none, is watched by this; 5.0 clients "
        "are told so.");
  s.key("max_subscriptions", &Limits::max_subscriptions, count32({1, million}), Applies::live,
        "Subscriptions of one session. Beyond: SUBACK 0x97 (5.0) or 0x80 (3.1.1).");
  s.key(
      "max_topic_levels", &Limits::max_topic_levels, count16({1, 1000}), Applies::live,
      "Levels of a topic. Beyond: a publish gets 0x87 (5.0) or is acknowledged and not routed (3.1.1); a subscription "
      "gets 0x8F or 0x80.");
  s.key("max_topic_alias", &Limits::max_topic_alias, count16({0, 65535}), Applies::live,
        "Topic aliases that a 5.0 client may set; 0 = none. Told to it; beyond: DISCONNECT 0x94.");
  s.key(
      "max_topic_alias_broker", &Limits::max_topic_alias_broker, count16({0, 65535}), Applies::live,
      "Topic aliases set to a 5.0 client that asks for some, as topics come the second time; 0 = none. Beyond: topics "
      "go out in full.");
  s.key("receive_maximum", &Limits::receive_maximum, count16({1, 65535}), Applies::live,
        "QoS 1 and 2 messages of a 5.0 client not acknowledged yet. Told to it; beyond: it waits for the disk, or gets "
        "DISCONNECT 0x93 where only its own answers (PUBREL) are missing.");
  s.key("max_connections_per_address", &Limits::max_connections_per_address, count({1, unlimited}, Lifted::allowed),
        Applies::live,
        "Connections of one address (IPv6: of its /64 network) on all listeners together. Beyond: closed at once and "
        "counted.");
  s.key("connect_rate", &Limits::connect_rate, count({1, unlimited}, Lifted::allowed), Applies::live,
        "New connections a second: in `limits` of all listeners together, in a listener its own. Beyond: closed at "
        "once and counted.");
  s.key("connect_burst", &Limits::connect_burst, count32({1, million}), Applies::live,
        "For connect_rate: how many at once after a quiet time.");
  return s;
}

Section<Limits> make_limits() {
  auto s = per_listener_limits("limits", "Everything has a limit and a stated behaviour when it is reached.");
  s.key("max_login_delay", &Limits::max_login_delay, timer({Millis(100), minutes(1)}), Applies::live,
        "After a failed log-in the next one of that user name from that address (IPv6: /64 network) waits 100 ms, then "
        "twice as long each time up to this; a minute makes up for one failure. Where more than 10 names failed, each "
        "further one slows the whole address. Two may wait of one name or slowed address, and of all half of "
        "max_pending_connects; beyond: refused unchecked (0x89 or 3), counted.");
  s.key("max_pending_connects", &Limits::max_pending_connects, count32({1, 100'000}), Applies::live,
        "Connections that have not sent CONNECT yet, or whose log-in is being checked. Beyond: one that has "
        "said nothing for a second gives way, of the address with most of them, counted; where there is none, further "
        "ones "
        "wait in the kernel's queue.");
  s.key("max_sessions", &Limits::max_sessions, count32({1, 1'000'000}), Applies::live,
        "Sessions, their clients connected or away. Beyond: a CONNECT that needs a new one gets 0x97 (5.0) or 3 "
        "(3.1.1).");
  s.key("max_session_expiry", &Limits::max_session_expiry, timer({Seconds(1), 36'500 * day}), Applies::live,
        "How long a session outlives its connection: the upper bound for 5.0 clients, the value for 3.1.1 clients with "
        "clean session 0.");
  s.key("max_retained_messages", &Limits::max_retained_messages, count({1, unlimited}, Lifted::allowed), Applies::live,
        "Retained messages. Beyond: delivered but not retained, counted; a 5.0 publisher gets 0x97.");
  s.key("max_retained_bytes", &Limits::max_retained_bytes, size({64 * KiB, unlimited}, Lifted::allowed), Applies::live,
        "As max_retained_messages, in bytes.");
  s.key("max_uncommitted_bytes", &Limits::max_uncommitted_bytes, size({1 * MiB, 1 * GiB}), Applies::live,
        "Handed to the disk and not yet there, of all connections. Beyond: publishers, and CONNECT, SUBSCRIBE and "
        "UNSUBSCRIBE of kept sessions and wills, wait (and are not timed out) until the disk has caught up; while it "
        "fails, those get CONNACK 0x97 (5.0) or 3 (3.1.1), SUBACK 0x97 or 0x80. Clean sessions without a will go on.");
  s.key("refuse_after", &Limits::refuse_after, duration({Seconds(1), hours(1)}), Applies::live,
        "Disk full: how long a durable publish of a 3.1.1 client is held before the connection is closed, so that it "
        "sends again. 5.0 clients get 0x97 at once.");
  return s;
}

void describe_who_comes_in(Section<Listener>& s) {
  s.key("protocol_versions", &Listener::protocol_versions,
        list(word<ProtocolVersion>(
                 {{"3.1", ProtocolVersion::v3_1}, {"3.1.1", ProtocolVersion::v3_1_1}, {"5.0", ProtocolVersion::v5_0}},
                 {.theirs = {{"3", "3.1"}, {"4", "3.1.1"}, {"5", "5.0"}}}),
             "\"3.1\", \"3.1.1\", \"5.0\"", {1, 3}),
        Applies::reconnect, "Versions accepted; the others are refused as the standard says.");
  s.key("allow_addresses", &Listener::allow_addresses, list(range_text(), "addresses", {0, 1000}), Applies::live,
        "Addresses or ranges that may connect; none = all. Others are closed at once and counted. Behind a proxy: the "
        "client's.");
  s.key("deny_addresses", &Listener::deny_addresses, list(range_text(), "addresses", {0, 1000}), Applies::live,
        "Those that may not, whatever allow_addresses says.");
  s.key("client_id_prefixes", &Listener::client_id_prefixes, list(free_text({1, 256}), "texts", {0, 100}),
        Applies::live,
        "A client id begins with one of them; none = any. Others, and clients without one, get CONNACK 0x85 (5.0) or "
        "2.");
  s.key("use_username_as_client_id", &Listener::use_username_as_client_id, boolean(), Applies::live,
        "The user name is the client id, whatever CONNECT says, so that nobody takes over another's session. Clients "
        "without one get CONNACK 0x85 (5.0) or 2.");
  s.key("allow_empty_client_id", &Listener::allow_empty_client_id, boolean(), Applies::live,
        "Whether clients may connect without an id; they are given one. If not: CONNACK 0x85 (5.0) or 2.");
  s.key("auto_id_prefix", &Listener::auto_id_prefix, free_text({0, 64}), Applies::live, "Ids that are given begin so.");
  s.key("allow_anonymous", &Listener::allow_anonymous, boolean(), Applies::live,
        "Let clients in that send no user name. Never the default in a file.");
}

Section<Listener> make_listener() {
  Section<Listener> s("listeners[]",
                      "Where devices connect. Without the key: 127.0.0.1 and ::1, port 1883; anonymous, unless there "
                      "are users.");
  s.key("name", &Listener::name, name_text(), Applies::reconnect, "Unique. What page, log and metrics call it.")
      .required();
  s.key("bind", &Listener::bind, bind_text(), Applies::reconnect,
        "The address to listen on; \"0.0.0.0\" is all of IPv4, \"::\" all of IPv6: for both, two listeners. One that "
        "is not there yet is waited for. Required but for transport unix.")
      .default_is("required");
  s.key("port", &Listener::port, count16({1, 65535}), Applies::reconnect, "TCP port.");
  s.key(
      "transport", &Listener::transport,
      word<Transport>({{"tcp", Transport::tcp}, {"websocket", Transport::websocket}, {"unix", Transport::unix_socket}},
                      {.theirs = {{"websockets", "websocket"}, {"mqtt", "tcp"}}}),
      Applies::reconnect,
      "What MQTT runs on. websocket: binary frames of the subprotocol mqtt; a frame may have max_packet_size, and 1 "
      "MiB at least. unix: a socket in the file system, with path in place of bind and port.");
  s.key(
      "path", &Listener::path, path_text(), Applies::reconnect,
      "unix, required: the socket's file, 107 bytes at most. One left by a program that died is replaced; the file is "
      "removed at the end.");
  s.key("mode", &Listener::mode, file_mode(), Applies::reconnect, "unix: who may connect, as in chmod.");
  s.key("owner", &Listener::owner, free_text({1, 128}), Applies::reconnect,
        "unix: \"user\" or \"user:group\" that the file is given to.")
      .default_is("the gateway's");
  s.key("http_paths", &Listener::http_paths, list(http_path_text(), "paths", {1, 100}), Applies::live,
        "websocket: where it is; \"*\" = anywhere.");
  s.key("origins", &Listener::origins, list(free_text({1, 255}), "origins", {0, 100}), Applies::live,
        "websocket: pages, such as https://plant7.example, whose visitors' browsers may connect; none = all. Clients "
        "that are no browser have no origin, and are let through.");
  s.key("proxy_protocol", &Listener::proxy_protocol, boolean(), Applies::live,
        "A proxy stands before the gateway and sends a PROXY header, version 1 or 2, before all else; the client's "
        "address in it is the one in the log. Without it, or from elsewhere, nobody is let in.");
  s.key("trusted_proxies", &Listener::trusted_proxies, list(range_text(), "addresses", {0, 100}), Applies::live,
        "With proxy_protocol: the proxies' addresses or ranges. Needless for unix, where mode and owner decide.");
  describe_who_comes_in(s);
  s.key("max_qos", &Listener::max_qos, qos(), Applies::live,
        "The highest QoS that clients publish with and are granted. Told to 5.0 clients; beyond: DISCONNECT 0x9B (5.0) "
        "or "
        "closed (3.1.1), and as a will CONNACK 0x9B or 5.");
  s.key("retain_available", &Listener::retain_available, boolean(), Applies::live,
        "Whether clients may publish with the retain flag. Told to 5.0 clients; who does all the same: DISCONNECT 0x9A "
        "(5.0) or closed (3.1.1), and in a will CONNACK 0x9A or 5.");
  s.key("response_information", &Listener::response_information, free_text({0, 1024}), Applies::live,
        "Told to 5.0 clients that ask for it: by custom a topic prefix where they may be answered. Empty: nothing.");
  s.key("limits", &Listener::limits, object(listener_limits_section()), Applies::live,
        "Keys of `limits` for this listener alone.");
  s.key("tls", &Listener::tls, maybe(object(listener_tls_section())), Applies::live,
        "TLS is on where this object stands. A change counts for new connections.");
  return s;
}

Section<ListenerTls> make_listener_tls() {
  Section<ListenerTls> s("listeners[].tls",
                         "TLS for devices. Paths are relative to the file they stand in. The files are watched: a good "
                         "replacement counts for new connections within seconds, a bad one is refused with words.");
  s.key("cert_file", &ListenerTls::cert_file, path_text(), Applies::live,
        "The listener's certificate with its chain, PEM. Required with key_file, unless there is a psk_file.");
  s.key("key_file", &ListenerTls::key_file, path_text(), Applies::live,
        "Its key, PEM without a password. Mode 0640 at most.");
  s.key("ca_file", &ListenerTls::ca_file, path_text(), Applies::live,
        "PEM: clients that show a certificate need one of these CAs.");
  s.key("ca_path", &ListenerTls::ca_path, path_text(), Applies::live, "The same as a folder of hashed PEM files.");
  s.key("crl_file", &ListenerTls::crl_file, path_text(), Applies::live,
        "PEM: certificates that these CAs have revoked.");
  s.key("require_certificate", &ListenerTls::require_certificate, boolean(), Applies::live,
        "Clients without a certificate are refused; but for those with a pre-shared key.");
  s.key("use_identity_as_username", &ListenerTls::use_identity_as_username, boolean(), Applies::live,
        "The certificate's CN, or the name of the pre-shared key, is the user; CONNECT's user name is ignored, and no "
        "password is needed. Who shows neither logs in as elsewhere.");
  s.key("use_subject_as_username", &ListenerTls::use_subject_as_username, boolean(), Applies::live,
        "As above with the certificate's whole subject, for example CN=line3,O=Plant 7.");
  s.key("psk_file", &ListenerTls::psk_file, path_text(), Applies::live,
        "Pre-shared keys, lines of NAME:HEX as in Mosquitto. Mode 0640 at most.");
  s.key("psk_hint", &ListenerTls::psk_hint, free_text({0, 128}), Applies::live, "Told to TLS 1.2 clients.");
  s.key("min_version", &ListenerTls::min_version,
        word<TlsVersion>({{"1.2", TlsVersion::v1_2}, {"1.3", TlsVersion::v1_3}},
                         {.theirs = {{"tlsv1.2", "1.2"}, {"tlsv1.3", "1.3"}}}),
        Applies::live, "The lowest TLS version.");
  s.key("ciphers", &ListenerTls::ciphers, free_text({0, text_bytes_max}), Applies::live,
        "Ciphers of TLS 1.2, as `openssl ciphers` takes them.")
      .default_is("OpenSSL's");
  s.key("ciphers_tls1_3", &ListenerTls::ciphers_tls1_3, free_text({0, text_bytes_max}), Applies::live,
        "Those of TLS 1.3.")
      .default_is("OpenSSL's");
  s.key("alpn", &ListenerTls::alpn, list(free_text({1, 255}), "protocols", {0, 10}), Applies::live,
        "A client that asks for protocols gets the first of these that it offers, and is refused without one. None "
        "given: not answered.");
  return s;
}

}  // namespace

const Section<ListenerTls>& listener_tls_section() {
  static const Section<ListenerTls> section = make_listener_tls();
  return section;
}

const Section<Limits>& limits_section() {
  static const Section<Limits> section = make_limits();
  return section;
}

const Section<Limits>& listener_limits_section() {
  static const Section<Limits> section = per_listener_limits("listeners[].limits", "As in `limits`, for one listener.")
                                             .default_is_for_all("that of `limits`");
  return section;
}

const Section<Listener>& listener_section() {
  static const Section<Listener> section = make_listener();
  return section;
}

}  // namespace tidegate::config
