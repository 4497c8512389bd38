// Where log lines go: spdlog's default logger, made from the configuration.
#pragma once

#include "config/config.h"
#include "gateway/base/result.h"

namespace tidegate {

// Errors: io (a log file cannot be written). Thread: main, before others log.
[[nodiscard]] Status set_up_log(const config::Log& log, bool verbose);
// The level alone, while running.
void set_log_level(const config::Log& log, bool verbose);

}  // namespace tidegate
