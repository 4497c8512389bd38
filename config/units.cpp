#include "config/units.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <span>

namespace tidegate::config {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

constexpr Unit durations[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000},
};
constexpr Unit sizes[] = {
    {"B", 1},
    {"kB", 1000},
    {"KiB", KiB},
    {"MB", 1000'000},
    {"MiB", MiB},
    {"GB", 1000'000'000},
    {"GiB", GiB},
    {"TB", 1000'000'000'000},
    {"TiB", 1024 * GiB},
};
constexpr uint64_t largest = std::numeric_limits<int64_t>::max();

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  auto number = parse_whole(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name != text.substr(digits)) continue;
    if (*number > largest / unit.factor) return std::nullopt;
    return *number * unit.factor;
  }
  return std::nullopt;
}

// With the largest unit that leaves no rest.
std::string with_unit(uint64_t value, std::span<const Unit> units, uint64_t step) {
  const Unit* best = &units.front();
  for (const Unit& unit : units)
    if (value != 0 && value % unit.factor == 0 && (step == 0 || unit.factor % step == 0)) best = &unit;
  return std::to_string(value / best->factor) + std::string(best->name);
}

}  // namespace

std::optional<uint64_t> parse_whole(std::string_view text) {
  uint64_t value = 0;
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{}) return std::nullopt;
  return value;
}

std::optional<Millis> parse_duration(std::string_view text) {
  auto value = parse_with_unit(text, durations);
  if (!value) return std::nullopt;
  return Millis(static_cast<int64_t>(*value));
}

std::string duration_text(Millis duration) {
  if (duration == Millis(0)) return "0s";
  return with_unit(static_cast<uint64_t>(duration.count()), durations, 0);
}

std::optional<uint64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, sizes);
}

std::string size_text(uint64_t bytes) {
  if (bytes == unlimited) return "unlimited";
  return with_unit(bytes, sizes, bytes % KiB == 0 ? KiB : 0);
}

std::optional<uint8_t> parse_percent(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  auto value = parse_whole(text.substr(0, text.size() - 1));
  if (!value || *value > 100) return std::nullopt;
  return static_cast<uint8_t>(*value);
}

std::optional<Address> parse_address(std::string_view text) {
  std::string_view host = text, port;
  bool has_port = false;
  if (text.starts_with('[')) {
    size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = text.substr(1, end - 1);
    std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
    if (host.find(':') == std::string_view::npos || !is_ip_address(host)) return std::nullopt;
  } else if (size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  auto host_char = [](char c) { return static_cast<unsigned char>(c) > ' ' && c != '/' && c != '[' && c != '@'; };
  if (host.empty() || host.size() > 253 || !std::ranges::all_of(host, host_char)) return std::nullopt;
  Address address{std::string(host), 0};
  if (has_port) {
    auto number = parse_whole(port);
    if (!number || *number == 0 || *number > 65535) return std::nullopt;
    address.port = static_cast<uint16_t>(*number);
  }
  return address;
}

bool is_name(std::string_view text) {
  auto name_char = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || is_digit(c) || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= name_bytes_max && std::ranges::all_of(text, name_char);
}

bool is_ip_address(std::string_view text) {
  unsigned char raw[16];
  std::string without_scope(text.substr(0, text.find('%')));
  return ::inet_pton(AF_INET, std::string(text).c_str(), raw) == 1 ||
         ::inet_pton(AF_INET6, without_scope.c_str(), raw) == 1;
}

bool is_ip_range(std::string_view text) {
  size_t slash = text.find('/');
  if (!is_ip_address(text.substr(0, slash))) return false;
  if (slash == std::string_view::npos) return true;
  auto bits = parse_whole(text.substr(slash + 1));
  return bits && *bits <= (text.find(':') != std::string_view::npos ? 128u : 32u);
}

std::optional<uint16_t> parse_mode(std::string_view text) {
  if (text.size() < 3 || text.size() > 4 || text.find_first_not_of("01234567") != std::string_view::npos) return {};
  unsigned mode = 0;
  for (char digit : text) mode = mode * 8 + static_cast<unsigned>(digit - '0');
  if (mode > 0777) return {};
  return static_cast<uint16_t>(mode);
}

bool is_bind(std::string_view text) {
  if (is_ip_address(text)) return true;
  // An interface (IFNAMSIZ 16). A dotted number that is no address is a slip, and "localhost" would wait for ever.
  bool dotted_number = std::ranges::all_of(text, [](char c) { return is_digit(c) || c == '.'; });
  auto interface_char = [](char c) { return static_cast<unsigned char>(c) > ' ' && c != '/' && c != ':'; };
  return !text.empty() && text.size() < 16 && !dotted_number && text != "localhost" &&
         std::ranges::all_of(text, interface_char);
}

bool is_loopback(std::string_view bind) {
  return bind == "::1" || bind == "lo" || (bind.starts_with("127.") && is_ip_address(bind));
}

}  // namespace tidegate::config
