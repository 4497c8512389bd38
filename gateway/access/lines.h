// The lines of a text file, as Mosquitto's files are read: comments and blank lines are left out.
#pragma once

#include <cstddef>
#include <string_view>

namespace tidegate::access {

[[nodiscard]] inline std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n\v\f";
  size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// Calls visit(line number from 1, trimmed line).
template <class Visit>
void for_each_line(std::string_view text, const Visit& visit) {
  for (size_t number = 1; !text.empty(); ++number) {
    size_t end = text.find('\n');
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.empty() && line.front() != '#') visit(number, line);
  }
}

}  // namespace tidegate::access
