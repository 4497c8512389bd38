// tidegate-load: drives any MQTT broker, counts what arrives, and says what it costs. See README.md.
#include <csignal>
#include <cstdio>
#include <string>

#include "tests/bench/run.h"
#include "tests/bench/storm.h"

namespace {

template <class R>
int tell(const R& report, const bench::LoadOptions& options, int exit_code) {
  std::puts((options.json ? bench::to_json(report, options) : bench::to_text(report, options)).c_str());
  return exit_code;
}

int run(bench::LoadOptions& options) {
  if (options.tls) options.path.tls = std::make_shared<bench::TlsTrust>(options.ca_file, options.host);
  if (options.mode == bench::Mode::storm) {
    bench::StormReport report = bench::run_storm(options);
    return tell(report, options, report.exit_code());
  }
  bench::Report report = options.mode == bench::Mode::idle ? bench::run_idle(options) : bench::Run(options).run();
  return tell(report, options, report.exit_code(options));
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes where the broker may have closed
  bench::LoadOptions options;
  int ended = bench::parse_command_line(argc, argv, options);
  if (ended >= 0) return ended;
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tidegate-load: %s\n", error.what());
    return 2;
  }
}
