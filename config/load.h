// From a file to a valid Config, or to everything that is wrong with it.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "config/config.h"
#include "config/outside.h"
#include "config/problem.h"

namespace tidegate::config {

struct Loaded {
  Config config;
  std::vector<Problem> warnings;
};

// The error holds at least one Problem of Severity::error, and all warnings, ordered by place.
// Blocks on files: not for the core thread.
[[nodiscard]] tl::expected<Loaded, std::vector<Problem>> load(const std::string& path, const Outside& outside);

}  // namespace tidegate::config
