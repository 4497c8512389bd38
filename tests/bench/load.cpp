// tidegate-load: drives any MQTT broker, counts what arrives, and says what it costs. See README.md.
#include <cstdio>
#include <string>

#include "tests/bench/run.h"

namespace {

int run(const bench::LoadOptions& options) {
  bench::Report report = options.mode == bench::Mode::idle ? bench::run_idle(options) : bench::Run(options).run();
  std::string text = options.json ? bench::to_json(report, options) : bench::to_text(report, options);
  std::puts(text.c_str());
  return report.exit_code(options);
}

}  // namespace

int main(int argc, char** argv) {
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
