// The configuration: structs whose defaults are the manual. A Config that load() returned is complete and valid: names
// are resolved, ports filled in, secrets read, filters and prefixes checked. Nobody parses or checks it again.
//
// Members bear the names of the keys (reference: REFERENCE.md, made from schema_*.cpp). Durations are chrono, sizes are
// bytes, `unlimited` is the largest value so that comparisons need no special case, an empty optional timer is "off".
//
// Thread: plain data. Share it as `std::shared_ptr<const Config>`.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "config/secret.h"
#include "gateway/access/acl.h"
#include "gateway/base/message.h"
#include "gateway/base/time.h"

namespace tidegate::config {

inline constexpr uint64_t unlimited = std::numeric_limits<uint64_t>::max();
inline constexpr uint64_t KiB = 1024, MiB = 1024 * KiB, GiB = 1024 * MiB;

// --- the gateway itself --------------------------------------------------------------------------------

struct Gateway {
  // {gateway}: part of default client ids. [A-Za-z0-9_-]{1,64}. Default: the host name. Cloned images share host
  // names: set it, or two boxes evict each other at the remote.
  std::string name{};
  // How often $SYS is published, 1 s to 1 h; none = off. Default 10 s.
  std::optional<Millis> sys_interval = Seconds(10);
  // Started as root: whom to become once the ports are bound. Default: nobody else.
  std::string user{};
  // Heap in use, 8 MiB to unlimited, looked at once a second. Beyond: new connections are closed at once, and publishes
  // that would have to be kept are refused, as while the disk is full, until it is 5 % below.
  uint64_t memory_limit = unlimited;
  // Where the process id is written, and removed at the end. Default: nowhere.
  std::string pid_file{};

  friend bool operator==(const Gateway&, const Gateway&) = default;
};

// --- limits --------------------------------------------------------------------------------------------

// Everything has a limit and a stated behaviour when reached; nothing is dropped uncounted. The first group may be set
// for one listener (listeners[].limits); the second counts for the whole gateway.
struct Limits {
  // Open connections, 1 to 1,000,000. Beyond: the newest is closed and counted. The value in "limits" is
  // for all listeners together, the one of a listener for that listener.
  uint32_t max_connections = 1000;
  // From accept (and TLS) to a complete CONNECT, 1 s to 5 min. Then: closed.
  Millis connect_timeout = Seconds(10);
  // Bytes of a whole packet, 1 KiB to 256 MiB, both ways. Told to 5.0 clients (Maximum Packet Size). A larger one from
  // a client: DISCONNECT 0x95, closed. A larger one to a client: not sent to that client, counted.
  uint64_t max_packet_size = 1 * MiB;
  // QoS 1 and 2 messages in flight to a client, 1 to 65,535: the lower of this and its Receive Maximum; the rest waits
  // in its session.
  uint16_t max_inflight_messages = 100;
  // Bytes that wait to be written to one connection, 64 KiB to 1 GiB. Beyond: it is not read, and QoS 0 to it is dropped
  // and counted, but for the retained messages of a SUBSCRIBE that came while it was within (at most as many bytes as
  // are retained); QoS 1 and 2 are bounded by max_inflight_messages.
  uint64_t max_output_buffer = 4 * MiB;
  // Messages that wait for one session, 1 to unlimited. Beyond: the newest is dropped and counted.
  uint64_t max_queued_messages = 100'000;
  // As above, in bytes, 64 KiB to unlimited. Whichever is reached first.
  uint64_t max_queued_bytes = 16 * MiB;
  // The longest time without a packet, 1 s to 65535 s. A client that asks for more, or for none, is watched by this
  // one; a 5.0 client is told so (Server Keep Alive).
  Millis max_keepalive = std::chrono::hours(18);
  // Subscriptions of one session, 1 to 1,000,000. Beyond: SUBACK 0x97 (5.0) or 0x80 (3.1.1).
  uint32_t max_subscriptions = 1000;
  // Levels of a topic name or filter, 1 to 1000. Beyond: a publish is refused with 0x87 (5.0) or acknowledged and not
  // routed (3.1.1); a subscription is refused with 0x8F or 0x80.
  uint16_t max_topic_levels = 64;
  // Topic aliases a 5.0 client may set, 0 (none) to 65,535. Told to it; beyond: DISCONNECT 0x94.
  uint16_t max_topic_alias = 10;
  // Topic aliases the gateway sets to a 5.0 client that asks for some, 0 (none) to 65,535. A topic gets one when it is
  // sent the second time; beyond: topics go out in full.
  uint16_t max_topic_alias_broker = 10;
  // QoS 1 and 2 messages of a 5.0 client that are not acknowledged yet, 1 to 65,535. Told to it; beyond: it is not read
  // until the disk lets answers go, or gets DISCONNECT 0x93 where only its own answers (PUBREL) are missing.
  uint16_t receive_maximum = 1000;

  // Connections of one address (IPv6: of its /64 network) on all listeners together, 1 to unlimited. Beyond: closed at
  // once and counted.
  uint64_t max_connections_per_address = unlimited;
  // New connections a second, 1 to unlimited, and how many at once after a quiet time, 1 to 1,000,000. Beyond: closed at
  // once and counted. In "limits" of all listeners together, in a listener its own.
  uint64_t connect_rate = unlimited;
  uint32_t connect_burst = 100;

  // ---- for the whole gateway

  // Connections that have not sent CONNECT yet, or whose log-in is being checked, 1 to 100,000. Beyond: one
  // that has said nothing for a second gives way, of the address with most of them, counted; where there is none, further
  // ones wait in the kernel's queue.
  uint32_t max_pending_connects = 100;
  // After a failed log-in the next one of that user name from that address waits 100 ms, then twice as long each time up
  // to this; a minute makes up for one failure. Where more than 10 names failed, each further one slows the whole address.
  // 100 ms to 1 min; none: no log-in waits. Two may wait of one name or slowed address, and of all half of
  // max_pending_connects; beyond: refused unchecked, counted.
  std::optional<Millis> max_login_delay = Seconds(10);

  // Sessions, their clients connected or away, 1 to 1,000,000. Beyond: a CONNECT that needs a new one is refused with
  // 0x97 (5.0) or 3 (3.1.1).
  uint32_t max_sessions = 10'000;
  // How long a session outlives its connection: the upper bound of what a 5.0 client asks for, and the value for 3.1.1
  // clients with clean session 0, who cannot ask. 1 s to 100 years; none = kept until taken up. Default 30 days: long
  // enough for any device that comes back, short enough that random client ids do not fill the store for ever.
  std::optional<Millis> max_session_expiry = std::chrono::hours(24 * 30);
  // Retained messages, 1 to unlimited. Beyond: delivered but not retained, counted; a 5.0 publisher gets 0x97.
  uint64_t max_retained_messages = 100'000;
  // As above, in bytes, 64 KiB to unlimited.
  uint64_t max_retained_bytes = 64 * MiB;
  // Bytes handed to the disk and not yet there, all connections together, 1 MiB to 1 GiB. Beyond: publishers, and
  // CONNECT, SUBSCRIBE and UNSUBSCRIBE of kept sessions and wills, wait (and are not timed out) until the disk has caught
  // up; while it fails, those get CONNACK 0x97 (5.0) or 3 (3.1.1), SUBACK 0x97 or 0x80. Clean sessions without a will
  // go on.
  uint64_t max_uncommitted_bytes = 32 * MiB;
  // While the disk is full: how long a durable publish of a 3.1.1 client, which cannot be refused aloud, is held before
  // its connection is closed so that it sends again. 1 s to 1 h. (5.0 clients get 0x97 at once.)
  Millis refuse_after = Seconds(30);

  friend bool operator==(const Limits&, const Limits&) = default;
};

// --- LAN side ------------------------------------------------------------------------------------------

enum class ProtocolVersion : uint8_t { v3_1 = 3, v3_1_1 = 4, v5_0 = 5 };  // the wire's protocol level
enum class Transport : uint8_t { tcp, websocket, unix_socket };

enum class TlsVersion : uint8_t { v1_2, v1_3 };

// TLS of a listener. The files are watched: a good replacement is taken up for new connections, a bad one is refused.
struct ListenerTls {
  std::string cert_file{};  // PEM, with its chain. Required with key_file, unless there is a psk_file
  std::string key_file{};   // PEM without a password, mode 0640 at most
  std::string ca_file{};    // PEM: whose certificates of clients are believed
  std::string ca_path{};    // or a folder of hashed PEM files
  std::string crl_file{};   // PEM: certificates that are believed no more
  bool require_certificate = false;
  bool use_identity_as_username = false;  // the CN, or the name of the pre-shared key; CONNECT then needs no password
  bool use_subject_as_username = false;   // the whole subject, for example CN=line3,O=Plant 7
  std::string psk_file{};                 // lines of NAME:HEX, mode 0640 at most
  std::string psk_hint{};
  TlsVersion min_version = TlsVersion::v1_2;
  std::string ciphers{};            // of TLS 1.2; empty: OpenSSL's
  std::string ciphers_tls1_3{};     // likewise
  std::vector<std::string> alpn{};  // empty: a client that asks for a protocol gets no answer, and may go on

  friend bool operator==(const ListenerTls&, const ListenerTls&) = default;
};

struct Listener {
  std::string name{};  // required, unique among listeners. [A-Za-z0-9_-]{1,64}
  std::string
      bind{};  // required but for unix: an IP address, "0.0.0.0", "::", or an interface ("eth1"). Waited for if not there
  uint16_t port = 1883;  // 1 to 65535
  Transport transport = Transport::tcp;
  std::string path{};                                    // unix: required, the socket's file
  uint16_t mode = 0660;                                  // unix: who may connect, as in chmod
  std::string owner{};                                   // unix: "user" or "user:group"; empty: the gateway's
  std::vector<std::string> http_paths = {"/", "/mqtt"};  // websocket: "*" = any
  std::vector<std::string> origins{};                    // websocket: of pages in browsers; empty: any
  bool proxy_protocol = false;                           // a header of PROXY protocol 1 or 2 comes first
  std::vector<std::string> trusted_proxies{};            // addresses or ranges that may connect then
  std::vector<ProtocolVersion> protocol_versions = {ProtocolVersion::v3_1, ProtocolVersion::v3_1_1,
                                                    ProtocolVersion::v5_0};
  std::vector<std::string> allow_addresses{};     // addresses or ranges that may connect; empty: all
  std::vector<std::string> deny_addresses{};      // that may not, whatever allow_addresses says
  std::vector<std::string> client_id_prefixes{};  // a client id begins with one of them; empty: any
  bool use_username_as_client_id = false;         // whatever CONNECT says; clients without a user name are refused
  bool allow_empty_client_id = true;              // a client that gives no id is given one
  std::string auto_id_prefix = "auto-";           // which begins so
  bool allow_anonymous = false;      // let clients in that send no user name. Default false on every listener in a file
  std::optional<ListenerTls> tls{};  // present = TLS
  Qos max_qos = Qos::exactly_once;   // of what clients publish, and are granted. Above: closed, 5.0 told 0x9B
  bool retain_available = true;      // false: who publishes with the retain flag is closed, 5.0 told 0x9A
  std::string response_information{};  // told to 5.0 clients that ask for it: a topic prefix to be answered at
  Limits limits{};                     // complete: the gateway's limits with this listener's keys put over them

  friend bool operator==(const Listener&, const Listener&) = default;
};

// A device that logs in with a user name.
struct User {
  std::string name{};      // required, unique. 1 to 256 bytes, as the client sends it
  Secret password_hash{};  // required: a hash of one of the forms in gateway/access/password_file.h

  friend bool operator==(const User&, const User&) = default;
};

// A topic rule as it is written; gateway/access/acl.h says what it means.
struct AclEntry {
  std::string user{};                                         // "*": everybody; empty: anonymous is true
  bool anonymous = false;                                     // clients without a user name
  access::Permission access = access::Permission::readwrite;  // required in a file
  std::string topic{};                                        // required; a filter, with %u and %c in it or not

  friend bool operator==(const AclEntry&, const AclEntry&) = default;
};

struct Access {
  std::string password_file{};  // Mosquitto's; none: empty
  std::vector<User> users{};
  std::string acl_file{};  // Mosquitto's; none: empty
  std::vector<AclEntry> acl{};

  std::vector<User> logins{};            // after load: of password_file and users
  std::vector<access::AclRule> rules{};  // after load: of acl_file and acl
  bool restricted = false;               // after load: there are rules, if only an empty list

  friend bool operator==(const Access&, const Access&) = default;
};

// --- cloud side ----------------------------------------------------------------------------------------

struct Address {
  std::string host{};  // a name or an IP address without brackets
  uint16_t port = 0;   // after load: never 0; default 1883, with TLS 8883

  friend bool operator==(const Address&, const Address&) = default;
};

struct Tls {
  std::string ca_file{};    // PEM. Default, when ca_path is empty, too: the system's roots
  std::string ca_path{};    // folder of hashed PEM files
  std::string cert_file{};  // PEM, with its chain. Together with key_file
  std::string key_file{};   // PEM
  bool verify_host = true;  // the certificate must bear the address' name. false = Mosquitto's bridge_insecure

  friend bool operator==(const Tls&, const Tls&) = default;
};

enum class Direction : uint8_t { out, in, both };
enum class RetainFlag : uint8_t { keep, clear };

// One mapping. Local topics are local_prefix + topic, remote topics are remote_prefix + topic; both are valid filters.
struct Rule {
  std::string topic{};  // a filter, as in Mosquitto's topic line. Default "": the prefixes are whole topics
  Direction direction = Direction::out;  // required in a file
  Qos qos = Qos::at_least_once;          // messages leave at the lower of this and their own; 2 is carried as 1
  bool queue_qos0 = false;               // keep a device's QoS 0 message, too, and send it at QoS 1
  std::string local_prefix{};
  std::string remote_prefix{};
  RetainFlag retain = RetainFlag::keep;  // clear: the retain flag is taken off what passes (Mosquitto's
                                         // bridge_outgoing_retain false)

  [[nodiscard]] std::string local_filter() const { return local_prefix + topic; }
  [[nodiscard]] std::string remote_filter() const { return remote_prefix + topic; }

  friend bool operator==(const Rule&, const Rule&) = default;
};

enum class WhenFull : uint8_t { drop_oldest };

// What waits on disk for one bridge.
struct Queue {
  uint64_t max_bytes = 1 * GiB;                // 1 MiB to unlimited (then store.max_bytes decides)
  uint64_t max_messages = unlimited;           // 1 to unlimited
  WhenFull when_full = WhenFull::drop_oldest;  // dropped messages are counted and announced
  uint8_t alarm_at = 80;                       // percent of max_bytes or max_messages, 1 to 100
  uint64_t max_qos0_bytes = 1 * MiB;  // QoS 0 messages waiting in memory while connected, 64 KiB to 1 GiB. Beyond:
                                      // dropped and counted

  friend bool operator==(const Queue&, const Queue&) = default;
};

// Waits between attempts to connect: decorrelated jitter from base to cap.
struct RestartTimeout {
  Millis base = Seconds(1);           // 100 ms to 1 h
  Millis cap = Seconds(120);          // base to 1 d
  Millis stable_after = Seconds(30);  // back to base only after this long with acknowledgements. 0 s ("0s") to 1 h

  friend bool operator==(const RestartTimeout&, const RestartTimeout&) = default;
};

enum class BridgeProtocol : uint8_t { automatic, v5_0, v3_1_1 };  // automatic: 5.0, and 3.1.1 where that is refused
enum class StartType : uint8_t { automatic, off };
enum class Profile : uint8_t { mosquitto };

struct Bridge {
  std::string name{};  // required, unique. [A-Za-z0-9_-]{1,64}. Also the name of its queue
  Profile profile = Profile::mosquitto;
  std::vector<Address> addresses{};  // required, at least one, tried in order
  BridgeProtocol protocol_version = BridgeProtocol::automatic;
  std::string client_id{};  // default "{gateway}.{bridge}". It names the remote session
  std::optional<std::string> username{};
  std::optional<Secret> password{};
  Millis keepalive = Seconds(60);               // 5 s to 65535 s
  bool clean_session = false;                   // of the remote session alone; the queue is kept either way
  std::optional<Tls> tls{};                     // present = TLS
  StartType start_type = StartType::automatic;  // off: not started; the queue is kept and grows
  RestartTimeout restart_timeout{};
  uint16_t window = 100;      // unacknowledged at a time, 1 to 1000; held below the remote's Receive Maximum
  std::vector<Rule> rules{};  // the first out rule that matches sends a message, once
  bool notifications = true;  // "1" / "0", retained, on notification_topic
  bool notifications_local_only = false;  // do not tell the remote
  std::string notification_topic{};       // default "$SYS/broker/connection/{client_id}/state", as in Mosquitto
  std::string status_topic{};             // default "$SYS/broker/bridge/{name}/status"; retained JSON
  Queue queue{};

  friend bool operator==(const Bridge&, const Bridge&) = default;
};

// --- the box itself ------------------------------------------------------------------------------------

// What a PUBACK promises at a power cut. always: on disk. interval: on disk within sync_interval. os: whenever the
// operating system writes. All three survive `kill -9`.
enum class Durability : uint8_t { always, interval, os };

// A store written by a newer version: refuse = do not start; set_aside = rename it and start empty.
enum class OnNewer : uint8_t { refuse, set_aside };

struct Store {
  std::string path{};  // a folder, made if missing. Default: default_store_path()
  Durability durability = Durability::always;
  Millis sync_interval = Seconds(1);  // for interval. 10 ms to 1 min
  uint64_t max_bytes = 2 * GiB;       // all queues, sessions and retained messages. 16 MiB to unlimited
  uint64_t min_free = 128 * MiB;      // left free on that file system whatever the limits say. 0 B to 1 TiB
  OnNewer on_newer = OnNewer::refuse;

  friend bool operator==(const Store&, const Store&) = default;
};

enum class LogLevel : uint8_t { error, warning, notice, info, debug };
enum class LogTo : uint8_t { standard_error, standard_output, file, syslog, journal, topic };
enum class LogFormat : uint8_t { text, json };
enum class LogTimestamp : uint8_t { iso8601, unix_seconds, none };

// The numbers are syslog(3)'s.
enum class LogFacility : uint8_t {
  user = 1,
  daemon = 3,
  local0 = 16,
  local1,
  local2,
  local3,
  local4,
  local5,
  local6,
  local7
};

struct LogDestination {
  LogTo type = LogTo::standard_error;          // required in a file
  LogFormat format = LogFormat::text;          // json: an object per line. Not of a journal, which has fields
  std::string path{};                          // of a file: required there. Of syslog and journal: the daemon's socket
  uint64_t max_size = 5 * MiB;                 // of a file, then it is rotated. 64 KiB to unlimited
  uint16_t keep = 3;                           // rotated files kept, 0 to 1000: path.1 is the newest
  LogFacility facility = LogFacility::daemon;  // of syslog
  bool by_component = false;                   // of a topic: $SYS/broker/log/LEVEL/COMPONENT in place of .../LEVEL

  friend bool operator==(const LogDestination&, const LogDestination&) = default;
};

// What is said by each part; none: as Log::level.
struct LogComponents {
  std::optional<LogLevel> gateway{};  // start, stop, signals
  std::optional<LogLevel> broker{};   // clients, subscriptions, what is refused
  std::optional<LogLevel> net{};      // sockets, listeners
  std::optional<LogLevel> bridge{};
  std::optional<LogLevel> store{};
  std::optional<LogLevel> config{};  // reloads

  friend bool operator==(const LogComponents&, const LogComponents&) = default;
};

struct Log {
  LogLevel level = LogLevel::info;
  LogComponents components{};
  LogTimestamp timestamp = LogTimestamp::iso8601;  // unix_seconds: with milliseconds behind a dot
  bool connection_messages = true;                 // a line per connect, disconnect and refusal
  std::vector<LogDestination> destinations = {LogDestination{}};

  friend bool operator==(const Log&, const Log&) = default;
};

struct Config {
  Gateway gateway{};
  Limits limits{};
  std::vector<Listener> listeners{};  // no key in the file: those of default_config()
  Access access{};
  std::vector<Bridge> bridges{};
  Store store{};
  Log log{};

  friend bool operator==(const Config&, const Config&) = default;
};

// Without a file: anonymous on loopback (127.0.0.1 and ::1, port 1883), no bridge, everything else as above.
[[nodiscard]] Config default_config(std::string gateway_name, std::string store_path);

// The two loopback listeners of default_config.
[[nodiscard]] std::vector<Listener> default_listeners(const Limits& limits, bool allow_anonymous);

}  // namespace tidegate::config
