#include "tests/bench/report.h"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tests/bench/storm.h"

namespace bench {
namespace {

[[gnu::format(printf, 2, 3)]] void add(std::string& text, const char* format, ...) {
  std::array<char, 512> line;
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line.data(), line.size(), format, arguments);
  va_end(arguments);
  text += line.data();
}

unsigned long long wide(uint64_t value) {
  return value;
}

double ratio(double numerator, double denominator) {
  return denominator > 0 ? numerator / denominator : 0;
}

const char* name(Mode mode) {
  switch (mode) {
    case Mode::both: return "both";
    case Mode::publish: return "publish";
    case Mode::subscribe: return "subscribe";
    case Mode::enrol: return "enrol";
    case Mode::idle: return "idle";
    case Mode::storm: return "storm";
  }
  return "?";
}

std::string idle_text(const Report& report, const LoadOptions& options) {
  std::string text;
  add(text, "%u idle connections%s in %.2f s (%.0f/s)", report.connections, options.tls ? " by TLS" : "",
      report.seconds, report.per_second());
  if (options.pid > 0) {
    add(text, "; RSS %.2f MiB before, %.2f MiB with them: %.0f B per connection; broker CPU %.0f us for each",
        static_cast<double>(report.rss_before_bytes) / 1048576.0, static_cast<double>(report.rss_bytes) / 1048576.0,
        report.bytes_per_connection, report.broker_cpu_us());
  }
  return text;
}

}  // namespace

double Report::per_second() const {
  return ratio(static_cast<double>(cpu_messages), seconds);
}

double Report::broker_cpu_us() const {
  return ratio(static_cast<double>(broker_cpu_ns) / 1000.0, static_cast<double>(cpu_messages));
}

double Report::own_cpu_us() const {
  return ratio(static_cast<double>(own_cpu_ns) / 1000.0, static_cast<double>(cpu_messages));
}

double StormReport::broker_cpu_us() const {
  return ratio(static_cast<double>(broker_cpu_ns) / 1000.0, back);
}

double StormReport::own_cpu_us() const {
  return ratio(static_cast<double>(own_cpu_ns) / 1000.0, back);
}

int StormReport::exit_code() const {
  bool probes_whole = plain.lost == 0 && same.lost == 0 && plain.connections_lost == 0 && same.connections_lost == 0;
  return back == clients && probes_whole ? 0 : 1;
}

int Report::exit_code(const LoadOptions& options) const {
  if (lost > 0) return 1;
  if (options.strict && (duplicated > 0 || reordered > 0)) return 1;
  if (!options.check_acked.empty() && reordered > 0) return 1;
  return timed_out || connections_lost > 0 ? 3 : 0;
}

std::string to_text(const StormReport& report, const LoadOptions& options) {
  std::string text;
  add(text, "%u of %u clients%s back in %.2f s after %llu retries", report.back, report.clients,
      options.tls ? " by TLS" : "", report.seconds, wide(report.retries));
  if (report.retries > 0) add(text, " (%s)", report.retry_why.c_str());
  if (options.pid > 0) add(text, ", broker CPU %.0f us for each", report.broker_cpu_us());
  add(text, ", own %.0f us", report.own_cpu_us());
  auto probes = [&](const char* which, const Report& of) {
    add(text, "\n%s: round trip ms p50 %.2f p99 %.2f max %.2f of %llu (late in sending: p99 %.2f), lost %llu", which,
        of.p50_us / 1000, of.p99_us / 1000, of.max_us / 1000, wide(of.received), of.late_p99_us / 1000, wide(of.lost));
    if (of.connections_lost > 0) add(text, ", %u connections LOST (%s)", of.connections_lost, of.lost_why.c_str());
  };
  if (options.plain_port != 0) probes("plain probes", report.plain);
  probes(options.tls ? "TLS probes" : "probes", report.same);
  return text;
}

std::string to_json(const StormReport& report, const LoadOptions& options) {
  auto probes = [](const Report& of) {
    return nlohmann::ordered_json{
        {"sent", of.sent},     {"received", of.received},
        {"lost", of.lost},     {"connections_lost", of.connections_lost},
        {"p50_us", of.p50_us}, {"p99_us", of.p99_us},
        {"max_us", of.max_us}, {"late_p99_us", of.late_p99_us},
    };
  };
  nlohmann::ordered_json json = {
      {"mode", name(options.mode)},
      {"clients", report.clients},
      {"back", report.back},
      {"seconds", report.seconds},
      {"retries", report.retries},
      {"retry_why", report.retry_why},
      {"broker_cpu_us", report.broker_cpu_us()},
      {"own_cpu_us", report.own_cpu_us()},
      {"plain", probes(report.plain)},
      {"same", probes(report.same)},
  };
  return json.dump();
}

std::string to_text(const Report& report, const LoadOptions& options) {
  if (options.mode == Mode::idle) return idle_text(report, options);
  if (options.mode == Mode::enrol) return "enrolled " + std::to_string(options.subscribers) + " subscribers";
  std::string text;
  if (options.mode != Mode::subscribe)
    add(text, "sent %llu, acked %llu, ", wide(report.sent), wide(report.acknowledged));
  if (report.refused > 0) add(text, "refused %llu, ", wide(report.refused));
  if (options.mode != Mode::publish) {
    add(text, "received %llu, lost %llu, duplicated %llu, reordered %llu, ", wide(report.received), wide(report.lost),
        wide(report.duplicated), wide(report.reordered));
    if (report.foreign > 0) add(text, "foreign %llu, ", wide(report.foreign));
  }
  add(text, "%.0f/s over %.2f s", report.per_second(), report.seconds);
  if (options.retained) {
    add(text, " (set in %.2f s: %.0f/s)", report.set_seconds,
        ratio(static_cast<double>(report.acknowledged), report.set_seconds));
  }
  if (options.mode != Mode::publish) {
    add(text, ", latency us p50 %.0f p99 %.0f max %.0f", report.p50_us, report.p99_us, report.max_us);
  }
  if (options.pid > 0) {
    add(text, ", broker CPU %.2f us/msg, RSS %.1f MiB", report.broker_cpu_us(),
        static_cast<double>(report.rss_bytes) / 1048576.0);
  }
  add(text, ", own CPU %.2f us/msg", report.own_cpu_us());
  if (report.timed_out) text += "; TIMED OUT";
  if (report.connections_lost > 0) {
    add(text, "; %u connections LOST (%s)", report.connections_lost, report.lost_why.c_str());
  }
  return text;
}

std::string to_json(const Report& report, const LoadOptions& options) {
  nlohmann::ordered_json json = {
      {"mode", name(options.mode)},
      {"publishers", options.publishers},
      {"subscribers", options.subscribers},
      {"pub_qos", options.pub_qos},
      {"sub_qos", options.sub_qos},
      {"payload_bytes", options.payload_bytes},
      {"window", options.window},
      {"nodelay", options.path.nodelay},
      {"run", options.run},
      {"sent", report.sent},
      {"acknowledged", report.acknowledged},
      {"refused", report.refused},
      {"expected", report.expected},
      {"received", report.received},
      {"lost", report.lost},
      {"duplicated", report.duplicated},
      {"reordered", report.reordered},
      {"foreign", report.foreign},
      {"connections_lost", report.connections_lost},
      {"lost_why", report.lost_why},
      {"timed_out", report.timed_out},
      {"seconds", report.seconds},
      {"set_seconds", report.set_seconds},
      {"per_second", report.per_second()},
      {"p50_us", report.p50_us},
      {"p99_us", report.p99_us},
      {"max_us", report.max_us},
      {"late_p99_us", report.late_p99_us},
      {"broker_cpu_us", report.broker_cpu_us()},
      {"own_cpu_us", report.own_cpu_us()},
      {"rss_before_bytes", report.rss_before_bytes},
      {"rss_bytes", report.rss_bytes},
      {"connections", report.connections},
      {"bytes_per_connection", report.bytes_per_connection},
  };
  return json.dump();
}

}  // namespace bench
