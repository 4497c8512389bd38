#include "tests/bench/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <map>
#include <random>

#include "tests/bench/stamp.h"

namespace bench {
namespace {

void add_connection(CLI::App& app, LoadOptions& o) {
  static const std::map<std::string, Version> versions{
      {"3.1.1", Version::v311}, {"5.0", Version::v5}, {"5", Version::v5}};
  static const std::map<std::string, bool> switches{{"on", true}, {"off", false}};
  app.add_option("--host", o.host, "Broker that is published to")->capture_default_str();
  app.add_option("--port,-p", o.port, "Its port")->capture_default_str();
  app.add_option("--sub-host", o.sub_host, "Broker that is subscribed at (default: --host)");
  app.add_option("--sub-port", o.sub_port, "Its port (default: --port)");
  app.add_option("--version", o.version, "MQTT 3.1.1 (default) or 5.0")->transform(CLI::CheckedTransformer(versions));
  app.add_option("--id", o.id, "Prefix of the client ids (default: load-PID; with --persistent: load)");
  app.add_flag("--persistent,!--clean", o.persistent, "Sessions of the subscribers outlive the connection");
  app.add_option("--nodelay", o.path.nodelay, "TCP_NODELAY of this program's sockets: on (default), off")
      ->transform(CLI::CheckedTransformer(switches));
  auto* ca = app.add_option("--cafile", o.ca_file, "Whom to believe: PEM");
  app.add_flag("--tls", o.tls, "Connect by TLS; the broker has to prove that it is --host")->needs(ca);
}

void add_scenario(CLI::App& app, LoadOptions& o) {
  app.add_option("--publishers,-P", o.publishers, "Number of publishers")->capture_default_str();
  app.add_option("--subscribers,-S", o.subscribers, "Number of subscribers; each hears all")->capture_default_str();
  app.add_option_function<uint32_t>(
      "--pairs",
      [&o](uint32_t n) {
        o.pairs = true;
        o.publishers = o.subscribers = n;
      },
      "N publishers, each with a subscriber of its own");
  app.add_option("--filters", o.filters, "Wildcard filters TOPIC/+/dev/N/# of each subscriber, used in turn");
  app.add_option("--topics", o.topics, "Topics of each publisher, used in turn")->capture_default_str();
  app.add_flag("--retain", o.retain, "Publish with the retain flag");
  app.add_option_function<uint64_t>(
      "--retained",
      [&o](uint64_t n) {
        o.retained = o.retain = true;
        o.messages = n;
      },
      "Set N retained messages, each on its own topic, then subscribe and fetch them");
  app.add_option("--topic", o.topic, "First level of all topics")->capture_default_str();
  app.add_option("--sub-prefix", o.sub_prefix, "Put before the filters: what a bridge puts before the topics");
}

void add_traffic(CLI::App& app, LoadOptions& o) {
  app.add_option_function<unsigned>(
         "--qos,-q", [&o](unsigned qos) { o.pub_qos = o.sub_qos = static_cast<uint8_t>(qos); }, "QoS of both sides")
      ->check(CLI::Range(0, 2));
  app.add_option_function<unsigned>(
         "--pub-qos", [&o](unsigned qos) { o.pub_qos = static_cast<uint8_t>(qos); }, "QoS of publishing")
      ->check(CLI::Range(0, 2));
  app.add_option_function<unsigned>(
         "--sub-qos", [&o](unsigned qos) { o.sub_qos = static_cast<uint8_t>(qos); }, "QoS of subscribing")
      ->check(CLI::Range(0, 2));
  app.add_option("--payload", o.payload_bytes, "Bytes of payload")
      ->check(CLI::Range(size_t{sizeof(Stamp)}, size_t{1} << 27))
      ->capture_default_str();
  app.add_option("--window", o.window, "Unacknowledged messages per publisher (QoS 1, 2)")
      ->check(CLI::Range(1, 32767))
      ->capture_default_str();
  app.add_option("--rate", o.rate_per_s, "Messages per second of all publishers; 0: as fast as it goes")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--messages,-n", o.messages, "Messages of all publishers")->capture_default_str();
  app.add_option("--seconds", o.seconds, "Publish for so long, in place of --messages")->check(CLI::NonNegativeNumber);
  app.add_option("--max-in-flight", o.max_in_flight, "Hold back while so many have not arrived; 0: never");
  app.add_option("--coalesce", o.coalesce_bytes, "Bytes that a publisher writes at once; 0: each message by itself")
      ->capture_default_str();
}

void add_verdict(CLI::App& app, LoadOptions& o) {
  app.add_option("--settle", o.settle_s, "Seconds between the last SUBACK and the first message")
      ->capture_default_str();
  app.add_option("--quiet", o.quiet_s, "Seconds without an arrival after which the rest is lost")
      ->capture_default_str();
  app.add_option("--timeout", o.timeout_s, "Seconds after which the run ends whatever happens")->capture_default_str();
  app.add_option("--pid", o.pid, "The broker's process: CPU per message, RSS");
  app.add_flag("--json", o.json, "Print one JSON object in place of text");
  app.add_flag("--strict", o.strict, "Duplicated or reordered messages fail the run, too");
}

void add_modes(CLI::App& app, LoadOptions& o) {
  static const std::map<std::string, Mode> modes{
      {"both", Mode::both}, {"publish", Mode::publish}, {"subscribe", Mode::subscribe}, {"enrol", Mode::enrol}};
  app.add_option("--mode", o.mode, "both (default), publish, subscribe, enrol (subscribe and leave)")
      ->transform(CLI::CheckedTransformer(modes));
  app.add_option("--acked-file", o.acked_file, "publish: every acknowledged message, a line \"publisher sequence\"");
  app.add_option("--received-file", o.received_file, "Every received message in order, a line as above");
  app.add_option("--check-acked", o.check_acked,
                 "subscribe: an --acked-file whose every message must arrive, in order");
  app.add_option("--first-seq", o.first_sequence, "First sequence number of each publisher")->capture_default_str();
  app.add_option("--run", o.run, "Number that marks the messages; subscribe: take only these");
  app.add_option("--idle", o.idle, "Only hold N idle connections; with --pid: bytes per connection");
  app.add_option("--hold", o.hold_s, "idle: seconds that the connections are kept after the reading");
  app.add_option("--storm", o.storm, "Cut N connections at one moment, and see them all come back");
  app.add_option("--plain-port", o.plain_port, "storm: the broker's port without TLS, for probes there as well");
  app.add_option("--per-address", o.per_address, "idle, storm: clients from each of 127.64.0.1 on")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

// What is left open by the command line, and what contradicts itself: a sentence, or nothing.
std::string complete(LoadOptions& o) {
  if (o.sub_host.empty()) o.sub_host = o.host;
  if (o.sub_port == 0) o.sub_port = o.port;
  if (o.id.empty()) o.id = o.persistent ? "load" : "load-" + std::to_string(getpid());
  if (o.idle > 0) o.mode = Mode::idle;
  if (o.storm > 0) o.mode = Mode::storm;
  if (o.run == 0 && o.mode != Mode::subscribe) o.run = std::random_device{}() | 1U;
  if (o.idle > 0 && o.storm > 0) return "--idle and --storm do not go together";
  if (o.publishers == 0 || o.subscribers == 0 || o.topics == 0)
    return "--publishers, --subscribers, --topics begin at 1";
  if (o.pairs && o.publishers != o.subscribers) return "--pairs sets publishers and subscribers alike";
  if (o.first_sequence == 0) return "--first-seq begins at 1";
  if (o.retained && o.pub_qos == 0) return "--retained needs --pub-qos 1: only an acknowledgement says that it is set";
  if (o.retained && o.mode != Mode::both) return "--retained is a scenario of --mode both";
  if (o.retained) o.topics = static_cast<uint32_t>((o.messages + o.publishers - 1) / o.publishers);
  if (!o.acked_file.empty() && o.pub_qos == 0) return "--acked-file needs --pub-qos 1: QoS 0 is not acknowledged";
  if (o.filters > 0 && o.pairs) return "--filters and --pairs do not go together";
  if (o.max_in_flight > 0 && o.mode == Mode::publish) return "--max-in-flight needs the subscribers in this process";
  return {};
}

}  // namespace

int parse_command_line(int argc, char** argv, LoadOptions& options) {
  CLI::App app(
      "MQTT load program of Tidegate: drives any broker, counts what arrives, and says what it costs.\n"
      "Exit: 0 nothing lost; 1 lost (--strict: or duplicated, reordered); 2 wrong use or no broker; 3 timeout or "
      "connection lost.",
      "tidegate-load");
  add_connection(app, options);
  add_scenario(app, options);
  add_traffic(app, options);
  add_verdict(app, options);
  add_modes(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  std::string mistake = complete(options);
  if (mistake.empty()) return -1;
  std::fprintf(stderr, "tidegate-load: %s\n", mistake.c_str());
  return 2;
}

}  // namespace bench
