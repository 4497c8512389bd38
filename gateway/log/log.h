// Saying something: log::net.info("Listening: listener={} address={}", name, address).
//
// A line is an event: a verb first, then key=value. Never a payload, never a secret. What nobody wants costs a comparison.
// Thread: any.
#pragma once

#include <fmt/format.h>

#include <utility>

#include "gateway/log/line.h"
#include "gateway/log/writer.h"

namespace tidegate::log {

[[nodiscard]] bool is_wanted(Component component, Level level);
void post(Component component, Level level, std::string text);
void set_level(Component component, Level level);
// The one writer of the program. Without destinations, lines go to stderr.
[[nodiscard]] Writer& writer();

// While one lives, lines of this thread are not published: they are about lines that are.
class PublishingLines {
 public:
  PublishingLines();
  ~PublishingLines();
  PublishingLines(const PublishingLines&) = delete;
  PublishingLines& operator=(const PublishingLines&) = delete;
};

class Channel {
 public:
  constexpr explicit Channel(Component component) : component_(component) {}

  template <class... Args>
  void error(fmt::format_string<Args...> text, Args&&... args) const {
    say(Level::error, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warn(fmt::format_string<Args...> text, Args&&... args) const {
    say(Level::warning, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void notice(fmt::format_string<Args...> text, Args&&... args) const {
    say(Level::notice, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(fmt::format_string<Args...> text, Args&&... args) const {
    say(Level::info, text, std::forward<Args>(args)...);
  }
  template <class... Args>
  void debug(fmt::format_string<Args...> text, Args&&... args) const {
    say(Level::debug, text, std::forward<Args>(args)...);
  }

  template <class... Args>
  void say(Level level, fmt::format_string<Args...> text, Args&&... args) const {
    if (is_wanted(component_, level)) post(component_, level, fmt::format(text, std::forward<Args>(args)...));
  }

 private:
  Component component_;
};

inline constexpr Channel gateway{Component::gateway}, broker{Component::broker}, net{Component::net},
    bridge{Component::bridge}, store{Component::store}, config{Component::config};

}  // namespace tidegate::log
