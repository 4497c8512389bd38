// JSON text to Node. Comments are allowed; trailing commas are errors. Total: any bytes give a tree or a problem.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "config/node.h"
#include "config/problem.h"

namespace tidegate::config {

inline constexpr size_t file_bytes_max = 4 * 1024 * 1024;
inline constexpr size_t nesting_max = 64;
inline constexpr size_t values_max = 100'000;  // keeps what a file of brackets can cost within bounds

// `file` is only for places. A syntax error ends reading, so there is at most one.
[[nodiscard]] tl::expected<Node, Problem> parse_json(std::string_view text, const std::string& file);

}  // namespace tidegate::config
