#include "config/expand.h"

#include <algorithm>

namespace tidegate::config {
namespace {

bool is_variable(std::string_view name) {
  auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; };
  auto letter_or_digit = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && letter(name.front()) && std::ranges::all_of(name, letter_or_digit);
}

}  // namespace

tl::expected<std::string, std::string> expand(std::string_view text, const Environment& env) {
  std::string out;
  while (!text.empty()) {
    size_t dollar = std::min(text.find('$'), text.size());
    out += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.starts_with("$$")) {
      out += '$';
      text.remove_prefix(2);
    } else if (text.starts_with("${")) {
      size_t end = text.find('}');
      std::string_view name = end == std::string_view::npos ? "" : text.substr(2, end - 2);
      if (!is_variable(name))
        return tl::unexpected<std::string>(
            R"(expected the name of an environment variable and } after ${; the characters ${ themselves are written $${)");
      auto value = env(name);
      if (!value) return tl::unexpected("the environment variable " + std::string(name) + " is not set");
      out += *value;
      text.remove_prefix(end + 1);
    } else if (!text.empty()) {
      out += '$';
      text.remove_prefix(1);
    }
  }
  return out;
}

std::optional<std::string_view> sole_placeholder(std::string_view text) {
  if (!text.starts_with("${") || !text.ends_with('}')) return std::nullopt;
  std::string_view name = text.substr(2, text.size() - 3);
  if (!is_variable(name)) return std::nullopt;
  return name;
}

}  // namespace tidegate::config
