// ${NAME} in strings: replaced once, by the environment. $$ is one $. Any other $ stays, so that "$SYS/#" is written
// as it is.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace tidegate::config {

using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// The error is a sentence for a Problem. It never holds a value of the environment.
[[nodiscard]] tl::expected<std::string, std::string> expand(std::string_view text, const Environment& env);

// The NAME of a text that is "${NAME}" and nothing else.
[[nodiscard]] std::optional<std::string_view> sole_placeholder(std::string_view text);

}  // namespace tidegate::config
