#include "config/problem.h"

#include <algorithm>
#include <tuple>

namespace tidegate::config {

namespace {

// A key or value may hold anything; a line in a log or a terminal may not.
std::string printable(const std::string& text) {
  constexpr const char* digits = "0123456789abcdef";
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f)
      out += c;
    else
      out += std::string("\\u00") + digits[byte >> 4] + digits[byte & 15];
  }
  return out;
}

}  // namespace

std::string render(const Problem& problem) {
  const Place& at = problem.place;
  std::string out = at.file;
  if (at.line > 0) out += ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
  out += problem.severity == Severity::error ? ": error: " : ": warning: ";
  if (!at.pointer.empty()) out += at.pointer + ": ";
  return printable(out + problem.message);
}

bool has_error(const std::vector<Problem>& problems) {
  return std::ranges::any_of(problems, [](const Problem& p) { return p.severity == Severity::error; });
}

void sort_by_place(std::vector<Problem>& problems) {
  std::ranges::stable_sort(problems, {}, [](const Problem& p) {
    return std::tuple<const std::string&, uint32_t, uint32_t>(p.place.file, p.place.line, p.place.column);
  });
}

}  // namespace tidegate::config
