// A line of the log and its forms as text. Pure.
//
// A line is one line: whatever would look like another one, or steer a terminal, is replaced.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/time.h"

namespace tidegate::log {

enum class Level : uint8_t { error, warning, notice, info, debug };  // loudest first
enum class Component : uint8_t { gateway, broker, net, bridge, store, config };
inline constexpr size_t components = 6;
inline constexpr size_t line_bytes_max = 8192;  // what is longer is cut

enum class Timestamp : uint8_t { iso8601, unix_seconds, none };
enum class Format : uint8_t { text, json };

struct Line {
  WallTime at;
  Level level = Level::info;
  Component component = Component::gateway;
  std::string text;
  bool from_topic = false;  // said while a line of the log was being published: not published itself
};

[[nodiscard]] std::string_view word(Level level);
[[nodiscard]] std::string_view word(Component component);
// Mosquitto's, of its $SYS/broker/log/LETTER.
[[nodiscard]] char letter(Level level);
// syslog(3)'s: 3 error to 7 debug.
[[nodiscard]] int severity(Level level);

// Cut to line_bytes_max, without control characters.
[[nodiscard]] std::string one_line(std::string text);

// "2026-11-21T03:39:07.123+01:00", "1795232347.123", or nothing. Local time, as TZ says.
[[nodiscard]] std::string time_text(WallTime at, Timestamp how);
// `2026-11-21T03:39:07.123+01:00 info [net] Listening: listener=lan`, or
// `{"time":"...","level":"info","component":"net","message":"Listening: listener=lan"}`; without a newline.
[[nodiscard]] std::string formatted(const Line& line, Format format, Timestamp timestamp);

}  // namespace tidegate::log
