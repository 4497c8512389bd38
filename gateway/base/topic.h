// Topic names and filters (MQTT 4.7). Parse, don't re-check: both types exist only in their valid form.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate {

// At most 65,535 bytes, well-formed UTF-8 without U+0000 [MQTT-1.5.4-1, 1.5.4-2, 4.7.3-1..3].
[[nodiscard]] bool is_valid_utf8_string(std::string_view text);

// A valid topic name as a view: no wildcard [MQTT-3.3.2-2]. The bytes belong to somebody else.
class TopicName {
 public:
  [[nodiscard]] static std::optional<TopicName> parse(std::string_view text);
  [[nodiscard]] std::string_view text() const { return text_; }
  // Names that begin with $ are the server's own; filters that begin with a wildcard do not see them [MQTT-4.7.2-1].
  [[nodiscard]] bool is_reserved() const { return text_.front() == '$'; }

 private:
  explicit TopicName(std::string_view text) : text_(text) {}
  std::string_view text_;
};

// A valid filter, owning its text: `#` alone or last after a slash, `+` a whole level [MQTT-4.7.1-1, 4.7.1-2].
class TopicFilter {
 public:
  [[nodiscard]] static std::optional<TopicFilter> parse(std::string_view text);
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool has_wildcard() const;
  [[nodiscard]] bool matches(TopicName topic) const;
  // Whether some topic name matches both.
  [[nodiscard]] bool overlaps(const TopicFilter& other) const;
  // Whether every topic name that `other` matches is matched by this one.
  [[nodiscard]] bool covers(const TopicFilter& other) const;
  friend bool operator==(const TopicFilter&, const TopicFilter&) = default;

 private:
  explicit TopicFilter(std::string_view text) : text_(text) {}
  std::string text_;
};

// "a//b" has three levels.
[[nodiscard]] inline size_t count_levels(std::string_view topic) {
  return static_cast<size_t>(std::count(topic.begin(), topic.end(), '/')) + 1;
}

// Cuts the first level off `rest` and returns it; `done` becomes true after the last one.
[[nodiscard]] inline std::string_view next_level(std::string_view& rest, bool& done) {
  size_t slash = rest.find('/');
  std::string_view level = rest.substr(0, slash);
  done = slash == std::string_view::npos;
  rest.remove_prefix(done ? rest.size() : slash + 1);
  return level;
}

}  // namespace tidegate
