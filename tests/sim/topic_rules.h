// The rules of topics and filters (MQTT 4.7, 4.8.2) once more, said as plainly as they can be.
#pragma once

#include <string>
#include <string_view>

namespace tidegate::sim {

inline std::string_view head_of(std::string_view text) {
  return text.substr(0, text.find('/'));
}
// Nothing if there was but one level.
inline const char* rest_of(const std::string& text) {
  size_t slash = text.find('/');
  return slash == std::string::npos ? nullptr : text.c_str() + slash + 1;
}

inline bool levels_match(const std::string& filter, const std::string& topic) {
  if (filter == "#") return true;
  if (head_of(filter) != "+" && head_of(filter) != head_of(topic)) return false;
  const char *more_filter = rest_of(filter), *more_topic = rest_of(topic);
  if (!more_filter) return !more_topic;
  if (!more_topic) return std::string(more_filter) == "#";
  return levels_match(more_filter, more_topic);
}

// REQUIRES: not a shared filter.
inline bool matches(const std::string& filter, const std::string& topic) {
  bool hidden = topic.front() == '$' && (filter.front() == '#' || filter.front() == '+');
  return !hidden && levels_match(filter, topic);
}

inline bool is_of_group(const std::string& filter) {
  return filter.starts_with("$share/");
}
// "$share/g/a/#" is about "a/#".
inline std::string topics_of_group(const std::string& filter) {
  return rest_of(rest_of(filter));
}

}  // namespace tidegate::sim
