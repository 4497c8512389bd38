// "Did you mean": the nearest of a few words.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tidegate::config {

// The candidate with the fewest changed, added, lost or swapped characters, if they are few enough for a slip. Case,
// "-", "_" and spaces make no difference.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace tidegate::config
