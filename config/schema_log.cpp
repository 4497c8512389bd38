// What is said, and where.
#include "config/schema.h"

namespace tidegate::config {
namespace {

Type<LogLevel> log_level() {
  return word<LogLevel>({{"error", LogLevel::error},
                         {"warning", LogLevel::warning},
                         {"notice", LogLevel::notice},
                         {"info", LogLevel::info},
                         {"debug", LogLevel::debug}},
                        {.theirs = {{"information", "info"}, {"warn", "warning"}, {"all", "debug"}}});
}

Type<LogFacility> log_facility() {
  return word<LogFacility>({{"daemon", LogFacility::daemon},
                            {"user", LogFacility::user},
                            {"local0", LogFacility::local0},
                            {"local1", LogFacility::local1},
                            {"local2", LogFacility::local2},
                            {"local3", LogFacility::local3},
                            {"local4", LogFacility::local4},
                            {"local5", LogFacility::local5},
                            {"local6", LogFacility::local6},
                            {"local7", LogFacility::local7}});
}

Section<LogDestination> make_destination() {
  Section<LogDestination> s("log.destinations[]", "");
  s.key("type", &LogDestination::type,
        word<LogTo>({{"stderr", LogTo::standard_error},
                     {"stdout", LogTo::standard_output},
                     {"file", LogTo::file},
                     {"syslog", LogTo::syslog},
                     {"journal", LogTo::journal},
                     {"topic", LogTo::topic}},
                    {.theirs = {{"journald", "journal"}}}),
        Applies::live,
        "stderr, stdout: where systemd reads them, levels go along. journal: systemd's, with fields. topic: "
        "`$SYS/broker/log/E`, `W`, `N`, `I` or `D`, as Mosquitto has it; not retained.")
      .required();
  s.key("format", &LogDestination::format, word<LogFormat>({{"text", LogFormat::text}, {"json", LogFormat::json}}),
        Applies::live, "json: an object per line with time, level, component and message.");
  s.key("path", &LogDestination::path, path_text(), Applies::live,
        "Of a file: required; SIGHUP opens it anew. Of syslog and journal: the daemon's socket.")
      .default_is("syslog `/dev/log`, journal `/run/systemd/journal/socket`");
  s.key("max_size", &LogDestination::max_size, size({64 * KiB, unlimited}, Lifted::allowed), Applies::live,
        "Of a file; then it is rotated. \"unlimited\" where logrotate does that.");
  s.key("keep", &LogDestination::keep, count16({0, 1000}), Applies::live,
        "Of a file: rotated ones kept, PATH.1 the newest.");
  s.key("facility", &LogDestination::facility, log_facility(), Applies::live, "Of syslog.");
  s.key("by_component", &LogDestination::by_component, boolean(), Applies::live,
        "Of a topic: the component is one more level, `$SYS/broker/log/N/bridge`.");
  return s;
}

Section<LogComponents> make_components() {
  Section<LogComponents> s("log.components", "What single parts say, where that is not `log.level`.");
  auto part = [&s](const char* key, std::optional<LogLevel> LogComponents::*member, const char* doc) {
    s.key(key, member, maybe(log_level()), Applies::live, doc).default_is("as `log.level`");
  };
  part("gateway", &LogComponents::gateway, "Start, stop, signals.");
  part("broker", &LogComponents::broker, "Clients, subscriptions, what is refused.");
  part("net", &LogComponents::net, "Listeners and sockets.");
  part("bridge", &LogComponents::bridge, "Links to remotes.");
  part("store", &LogComponents::store, "The disk.");
  part("config", &LogComponents::config, "Reloads.");
  s.later({"web"});
  return s;
}

}  // namespace

const Section<LogDestination>& log_destination_section() {
  static const Section<LogDestination> section = make_destination();
  return section;
}

const Section<LogComponents>& log_components_section() {
  static const Section<LogComponents> section = make_components();
  return section;
}

const Section<Log>& log_section() {
  static const Section<Log> section = [] {
    Section<Log> s("log", "Never payloads, never secrets.");
    s.key("level", &Log::level, log_level(), Applies::live,
          "What is said at least this loudly. `tidegate run -v`: debug, of every part; `-q`: error.");
    s.key("components", &Log::components, object(log_components_section()), Applies::live, "Levels of single parts.");
    s.key("timestamp", &Log::timestamp,
          word<LogTimestamp>(
              {{"iso8601", LogTimestamp::iso8601}, {"unix", LogTimestamp::unix_seconds}, {"none", LogTimestamp::none}}),
          Applies::live, "iso8601: local time with its offset. unix: seconds. Syslog and journal have their own.");
    s.key("connection_messages", &Log::connection_messages, boolean(), Applies::live,
          "A line per connect, disconnect and refusal.");
    s.key("destinations", &Log::destinations, list(object(log_destination_section()), "objects", {0, 16}),
          Applies::live, "Where to. [] is nowhere.")
        .default_is("[{ \"type\": \"stderr\" }]");
    return s;
  }();
  return section;
}

}  // namespace tidegate::config
