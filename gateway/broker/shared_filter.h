// The filter of a shared subscription (5.0, 4.8.2): $share/GROUP/FILTER. Taken from clients of every version.
#pragma once

#include <optional>
#include <string_view>

namespace tidegate::broker {

[[nodiscard]] inline bool is_shared(std::string_view filter) {
  return filter.starts_with("$share/");
}

struct SharedFilter {
  std::string_view group;
  std::string_view filter;  // not yet checked as a filter
};

// Nothing: not a shared filter, or one without a name, with a wildcard in its name [MQTT-4.8.2-1, 4.8.2-2], or without
// a filter behind it.
[[nodiscard]] inline std::optional<SharedFilter> split_shared(std::string_view text) {
  if (!is_shared(text)) return {};
  text.remove_prefix(std::string_view("$share/").size());
  size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) return {};
  SharedFilter shared{text.substr(0, slash), text.substr(slash + 1)};
  if (shared.group.find_first_of("+#") != std::string_view::npos) return {};
  return shared;
}

}  // namespace tidegate::broker
