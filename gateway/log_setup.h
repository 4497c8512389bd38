// The log as the configuration has it.
#pragma once

#include <memory>

#include "config/config.h"
#include "gateway/base/result.h"
#include "gateway/log_topics.h"

namespace tidegate {

// Where lines go. Errors: io (a log file cannot be written), and nothing is changed. May wait for a destination that
// stands still: not for the core thread.
[[nodiscard]] Status set_log_destinations(const config::Log& log, const std::shared_ptr<LogTopics>& topics);
// `at`: the level of everything, whatever the configuration says.
void set_log_levels(const config::Log& log, std::optional<config::LogLevel> at);

}  // namespace tidegate
