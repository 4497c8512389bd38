#include "gateway/log/line.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace tidegate::log {
namespace {

// Bytes of the UTF-8 character that begins `text`; 0: it is none.
size_t utf8_length(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(0);
  size_t length = first < 0x80 ? 1 : (first >> 5) == 6 ? 2 : (first >> 4) == 14 ? 3 : (first >> 3) == 30 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  uint32_t code = length == 1 ? first : first & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = code << 6 | (byte(i) & 0x3F);
  constexpr std::array<uint32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  bool surrogate = code >= 0xD800 && code < 0xE000;
  return code < smallest[length] || surrogate || code > 0x10FFFF ? 0 : length;
}

// As a JSON string. REQUIRES: no control characters. What is not UTF-8 becomes U+FFFD.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    size_t length = utf8_length(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      length = 1;
    } else {
      if (text[0] == '"' || text[0] == '\\') out += '\\';
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  return out + '"';
}

}  // namespace

std::string_view word(Level level) {
  constexpr std::array<std::string_view, 5> words = {"error", "warning", "notice", "info", "debug"};
  return words[static_cast<size_t>(level)];
}

std::string_view word(Component component) {
  constexpr std::array<std::string_view, components> words = {"gateway", "broker", "net", "bridge", "store", "config"};
  return words[static_cast<size_t>(component)];
}

char letter(Level level) {
  return "EWNID"[static_cast<size_t>(level)];
}

int severity(Level level) {
  return static_cast<int>(level) + 3;
}

std::string one_line(std::string text) {
  if (text.size() > line_bytes_max) text.resize(line_bytes_max);
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
  return text;
}

std::string time_text(WallTime at, Timestamp how) {
  auto seconds = std::chrono::floor<Seconds>(at.since_epoch);
  auto millis = (at.since_epoch - seconds).count();
  if (how == Timestamp::none) return {};
  if (how == Timestamp::unix_seconds) return fmt::format("{}.{:03}", seconds.count(), millis);
  std::time_t time = seconds.count();
  std::tm local{};
  ::localtime_r(&time, &local);
  long minutes = local.tm_gmtoff / 60;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}{}{:02}:{:02}", local, millis, minutes < 0 ? '-' : '+',
                     std::abs(minutes) / 60, std::abs(minutes) % 60);
}

std::string formatted(const Line& line, Format format, Timestamp timestamp) {
  std::string time = time_text(line.at, timestamp);
  if (format == Format::text) {
    return fmt::format("{}{}{} [{}] {}", time, time.empty() ? "" : " ", word(line.level), word(line.component),
                       line.text);
  }
  if (timestamp == Timestamp::iso8601) time = quoted(time);
  return fmt::format("{{{}{}{}\"level\":\"{}\",\"component\":\"{}\",\"message\":{}}}",
                     time.empty() ? "" : "\"time\":", time, time.empty() ? "" : ",", word(line.level),
                     word(line.component), quoted(line.text));
}

}  // namespace tidegate::log
