// The log as the configuration has it.
#pragma once

#include <memory>

#include "config/config.h"
#include "gateway/base/result.h"
#include "gateway/log_topics.h"

namespace tidegate {

// At the start and at each reload. `verbose`: everything at level debug. Errors: io (a log file cannot be written), and
// nothing is changed.
[[nodiscard]] Status set_up_log(const config::Log& log, bool verbose, const std::shared_ptr<LogTopics>& topics);

}  // namespace tidegate
