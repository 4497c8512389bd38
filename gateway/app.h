// The running gateway: the only place that knows all parts, makes them in order and ends them in order.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/config.h"
#include "gateway/base/result.h"

namespace tidegate {

struct RunOptions {
  std::string program = "tidegate";           // as it was called, for hints
  std::string config_file;                    // empty: the default configuration
  uint16_t port = 0;                          // in place of the one listener's port; 0: as configured
  std::optional<config::LogLevel> log_level;  // of everything; none: as configured
  bool background = false;
};

namespace exit_code {
inline constexpr int success = 0;
inline constexpr int start_failed = 1;
inline constexpr int bad_configuration = 3;
inline constexpr int refused = 4;  // acl-test: no
}  // namespace exit_code

// Runs until SIGTERM or SIGINT. Gives the exit code; a failure was explained in one line on stderr.
[[nodiscard]] int run_gateway(const RunOptions& options);

}  // namespace tidegate
