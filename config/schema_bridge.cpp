// The cloud side: bridges, their rules, queue, TLS and timers.
#include "config/schema.h"

namespace tidegate::config {
namespace {

using std::chrono::hours;

constexpr size_t text_bytes_max = 65535;

Section<Rule> make_rule() {
  Section<Rule> s(
      "bridges[].rules[]",
      "What the bridge carries. The first out rule that matches sends a message, once. Local topics are "
      "local_prefix + topic, remote topics remote_prefix + topic. A new out rule (other topics than before) with "
      "qos 1 or 2 has the retained messages that it matches queued, once.");
  s.key("topic", &Rule::topic, free_text({0, text_bytes_max}), Applies::reconnect,
        "A filter. Empty: the prefixes are whole topics.");
  s.key("direction", &Rule::direction,
        word<Direction>({{"out", Direction::out}, {"in", Direction::in}, {"both", Direction::both}}),
        Applies::reconnect, "out = to the remote.")
      .required();
  s.key("qos", &Rule::qos, qos(), Applies::reconnect,
        "Messages leave at the lower of this and their own QoS. 2 crosses exactly once where the remote speaks it and "
        "keeps "
        "its session; it costs an fsync for each message and direction, 1 next to nothing.");
  s.key("queue_qos0", &Rule::queue_qos0, boolean(), Applies::reconnect,
        "Keep a device's QoS 0 message, too, and send it at QoS 1.");
  s.key("local_prefix", &Rule::local_prefix, free_text({0, text_bytes_max}), Applies::reconnect,
        "In front of `topic` here; with a slash at its end.");
  s.key("remote_prefix", &Rule::remote_prefix, free_text({0, text_bytes_max}), Applies::reconnect,
        "In front of `topic` at the remote; with a slash at its end.");
  s.key("retain", &Rule::retain, word<RetainFlag>({{"keep", RetainFlag::keep}, {"clear", RetainFlag::clear}}),
        Applies::reconnect, "clear: what passes loses its retain flag.");
  s.later({"channel", "exclude", "priority", "properties", "target"});
  return s;
}

Section<Queue> make_queue() {
  Section<Queue> s("bridges[].queue", "What waits on disk for this bridge.");
  s.key("max_bytes", &Queue::max_bytes, size({1 * MiB, unlimited}, Lifted::allowed), Applies::reconnect,
        "unlimited: store.max_bytes decides.");
  s.key("max_messages", &Queue::max_messages, count({1, unlimited}, Lifted::allowed), Applies::reconnect,
        "By default bytes decide.");
  s.key("when_full", &Queue::when_full,
        word<WhenFull>({{"drop_oldest", WhenFull::drop_oldest}},
                       {.later = {"drop_newest", "keep_last_per_topic", "refuse"}}),
        Applies::reconnect, "drop_oldest: the LAN goes on; what is dropped is counted and announced.");
  s.key("alarm_at", &Queue::alarm_at, percent(), Applies::reconnect, "Of max_bytes or max_messages.");
  s.key("max_qos0_bytes", &Queue::max_qos0_bytes, size({64 * KiB, 1 * GiB}), Applies::reconnect,
        "QoS 0 messages waiting in memory while connected. Beyond: dropped and counted.");
  s.later({"max_age", "topics"});
  return s;
}

void describe_remote(Section<Bridge>& s) {
  s.key("name", &Bridge::name, name_text(), Applies::reconnect,
        "Unique. Also the name of its queue: a new name is a new queue, the old one is kept and reported.")
      .required();
  s.key("profile", &Bridge::profile,
        word<Profile>({{"mosquitto", Profile::mosquitto}},
                      {.later = {"azure-iot-hub", "azure-event-grid", "aws-iot-core", "hivemq", "emqx"}}),
        Applies::reconnect, "The kind of remote.");
  s.key("addresses", &Bridge::addresses, list(address(), "host[:port]", {1, 16}), Applies::reconnect,
        "Tried in order. Port 1883, with TLS 8883; IPv6 as \"[::1]:1883\".")
      .required();
  s.key("protocol_version", &Bridge::protocol_version,
        word<BridgeProtocol>(
            {{"auto", BridgeProtocol::automatic}, {"5.0", BridgeProtocol::v5_0}, {"3.1.1", BridgeProtocol::v3_1_1}},
            {.theirs = {{"mqttv50", "5.0"}, {"mqttv5", "5.0"}, {"5", "5.0"}, {"mqttv311", "3.1.1"}, {"4", "3.1.1"}}}),
        Applies::reconnect, "auto: 5.0, and 3.1.1 where that is refused.");
  s.key("client_id", &Bridge::client_id, free_text({1, text_bytes_max}), Applies::reconnect,
        "It names the remote session.")
      .default_is("\"{gateway}.{bridge}\"");
  s.key("username", &Bridge::username, maybe(free_text({1, text_bytes_max})), Applies::reconnect, "For the remote.");
  s.key("password", &Bridge::password, maybe(secret()), Applies::reconnect, "For the remote.");
  s.key("keepalive", &Bridge::keepalive, duration({Seconds(5), Seconds(65535)}), Applies::reconnect,
        "A silent link is probed this often.");
  s.key("clean_session", &Bridge::clean_session, boolean(), Applies::reconnect,
        "Of the remote session alone; the queue here is kept either way.");
  s.key("tls", &Bridge::tls, maybe(object(tls_section())), Applies::reconnect,
        "TLS is on where this stands; {} = the system's roots.");
}

Section<Bridge> make_bridge() {
  Section<Bridge> s("bridges[]", "Links to brokers in the cloud or elsewhere.");
  describe_remote(s);
  s.key("start_type", &Bridge::start_type,
        word<StartType>({{"automatic", StartType::automatic}, {"off", StartType::off}}, {.later = {"lazy", "once"}}),
        Applies::reconnect, "off: not started; its queue is kept and fills.");
  s.key("restart_timeout", &Bridge::restart_timeout, object(restart_timeout_section()), Applies::reconnect,
        "Waits between attempts to connect.");
  s.key("window", &Bridge::window, count16({1, 1000}), Applies::reconnect,
        "Unacknowledged at a time; held below the remote's Receive Maximum.");
  s.key("rules", &Bridge::rules, list(object(rule_section()), "objects", {0, 1000}), Applies::reconnect,
        "What it carries, and where to.");
  s.key("notifications", &Bridge::notifications, boolean(), Applies::reconnect,
        "Publish 1 and 0, retained, on notification_topic.");
  s.key("notifications_local_only", &Bridge::notifications_local_only, boolean(), Applies::reconnect,
        "Not to the remote.");
  s.key("notification_topic", &Bridge::notification_topic, free_text({1, text_bytes_max}), Applies::reconnect,
        "By client id, as in Mosquitto.")
      .default_is("\"$SYS/broker/connection/{client_id}/state\"");
  s.key("status_topic", &Bridge::status_topic, free_text({1, text_bytes_max}), Applies::reconnect, "Retained JSON.")
      .default_is("\"$SYS/broker/bridge/{name}/status\"");
  s.key("queue", &Bridge::queue, object(queue_section()), Applies::live, "What waits while the link is down.");
  s.later({"azure", "round_robin", "transport", "path", "local_clean_session", "threshold", "max_wait", "idle_timeout",
           "drain", "try_private"});
  return s;
}

}  // namespace

const Section<Tls>& tls_section() {
  static const Section<Tls> section = [] {
    Section<Tls> s("bridges[].tls", "TLS to the remote. Paths are relative to the file they stand in.");
    s.key("ca_file", &Tls::ca_file, path_text(), Applies::reconnect, "PEM.").default_is("the system's roots");
    s.key("ca_path", &Tls::ca_path, path_text(), Applies::reconnect, "Folder of hashed PEM files.");
    s.key("cert_file", &Tls::cert_file, path_text(), Applies::reconnect,
          "PEM, with its chain. Together with key_file.");
    s.key("key_file", &Tls::key_file, path_text(), Applies::reconnect, "PEM.");
    s.key("verify_host", &Tls::verify_host, boolean(), Applies::reconnect,
          "The certificate must bear the name of the address.");
    s.later({"psk", "psk_identity", "alpn"});
    return s;
  }();
  return section;
}

const Section<RestartTimeout>& restart_timeout_section() {
  static const Section<RestartTimeout> section = [] {
    Section<RestartTimeout> s("bridges[].restart_timeout", "Decorrelated jitter between base and cap.");
    s.key("base", &RestartTimeout::base, duration({Millis(100), hours(1)}), Applies::reconnect, "The shortest wait.");
    s.key("cap", &RestartTimeout::cap, duration({Millis(100), hours(24)}), Applies::reconnect, "The longest wait.");
    s.key("stable_after", &RestartTimeout::stable_after, duration({Millis(0), hours(1)}), Applies::reconnect,
          "Back to base only after so long with acknowledgements.");
    return s;
  }();
  return section;
}

const Section<Rule>& rule_section() {
  static const Section<Rule> section = make_rule();
  return section;
}

const Section<Queue>& queue_section() {
  static const Section<Queue> section = make_queue();
  return section;
}

const Section<Bridge>& bridge_section() {
  static const Section<Bridge> section = make_bridge();
  return section;
}

}  // namespace tidegate::config
