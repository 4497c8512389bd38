#include "config/types.h"

#include <algorithm>

#include "config/units.h"

namespace tidegate::config {
namespace {

std::string span_text(const std::string& min, const std::string& max) {
  return min + " to " + max;
}

// A bare 60 where a unit is needed, or a slip such as "60 s", "60sec", "64K".
std::string duration_hint(const Node& node) {
  size_t digits = node.text.find_first_not_of("0123456789");
  std::string number = node.text.substr(0, digits);
  if (number.empty() || !parse_whole(number)) return "";
  if (digits == std::string::npos) return number + "s";
  std::string unit = node.text.substr(digits);
  std::erase(unit, ' ');
  if (unit.empty()) return number + "s";
  char first = static_cast<char>(unit.front() | 0x20);  // "Sec" to 's'
  std::string ours = unit.starts_with("ms") || unit.starts_with("mil") ? "ms" : std::string(1, first);
  return parse_duration(number + ours) ? number + ours : "";
}

std::string size_hint(const Node& node) {
  size_t digits = node.text.find_first_not_of("0123456789");
  std::string number = node.text.substr(0, digits);
  if (number.empty() || !parse_whole(number)) return "";
  if (digits == std::string::npos) return size_text(*parse_whole(number));
  std::string unit = node.text.substr(digits);
  std::erase(unit, ' ');
  for (char letter : unit.substr(0, 1)) {
    if (letter == 'b') return number + "B";
    if (letter == 'k' || letter == 'K') return number + "KiB";
    if (letter == 'm' || letter == 'M') return number + "MiB";
    if (letter == 'g' || letter == 'G') return number + "GiB";
    if (letter == 't' || letter == 'T') return number + "TiB";
  }
  return "";
}

bool says_zero(const Node& node) {
  return !node.text.empty() && node.text.find_first_not_of('0') == std::string::npos;
}

// The number of a node that is a whole JSON number; none: anything else.
std::optional<uint64_t> whole_number(const Node& node) {
  if (node.kind != Kind::number) return std::nullopt;
  return parse_whole(node.text);
}

struct CountRules {
  uint64_t min, max;
  Lifted lifted;

  [[nodiscard]] std::string what() const {
    std::string top = max == unlimited ? "" : " to " + std::to_string(max);
    std::string out = "a whole number, " + std::to_string(min) + (top.empty() ? " or more" : top);
    return lifted == Lifted::allowed ? out + R"(, or "unlimited")" : out;
  }
};

std::optional<uint64_t> read_count(Reading& reading, const Node& node, const CountRules& rules) {
  if (rules.lifted == Lifted::allowed && node.kind == Kind::string) {
    auto text = reading.text(node, rules.what());
    if (!text) return std::nullopt;
    if (*text == "unlimited") return unlimited;
  }
  auto value = whole_number(node);
  if (value && *value >= rules.min && *value <= rules.max) return value;
  std::string hint;
  if (says_zero(node) && rules.lifted == Lifted::allowed) {
    hint = R"("unlimited" (0 never means "no limit"))";
  } else if (node.kind == Kind::string) {
    if (auto meant = parse_whole(node.text); meant && *meant >= rules.min && *meant <= rules.max) hint = node.text;
  }
  reading.expected(node, rules.what(), hint);
  return std::nullopt;
}

template <class Int>
Type<Int> counted(CountRules rules) {
  auto read = [rules](Reading& reading, const Node& node, Int& out) {
    if (auto value = read_count(reading, node, rules)) out = static_cast<Int>(*value);
  };
  auto text = [](const Int& value) {
    return uint64_t{value} == unlimited ? quoted("unlimited") : std::to_string(value);
  };
  return {rules.what().substr(2), read, text};
}

// A duration, or none in the inner optional for "off" where that is allowed. The outer is none: reported.
std::optional<std::optional<Millis>> read_duration(Reading& reading, const Node& node, Range<Millis> range,
                                                   std::string_view what, bool off_allowed) {
  if (node.kind == Kind::string) {
    auto text = reading.text(node, what);
    if (!text) return std::nullopt;
    if (off_allowed && *text == "off") return std::optional<Millis>();
    auto value = parse_duration(*text);
    if (value && *value >= range.min && *value <= range.max) return value;
  }
  bool turned_off = says_zero(node) || (node.kind == Kind::boolean && !node.boolean);
  std::string hint = off_allowed && turned_off ? "off" : duration_hint(node);
  auto meant = parse_duration(hint);
  bool fits = hint == "off" || (meant && *meant >= range.min && *meant <= range.max);
  reading.expected(node, what, fits ? quoted(hint) : "");
  return std::nullopt;
}

using Check = bool (*)(std::string_view);

Type<std::string> checked_text(std::string type_name, std::string what, Check check) {
  auto read = [what, check](Reading& reading, const Node& node, std::string& out) {
    auto text = reading.text(node, what);
    if (!text) return;
    if (!check(*text)) return reading.expected(node, what);
    out = std::move(*text);
  };
  return {std::move(type_name), read, [](const std::string& text) { return quoted(text); }};
}

}  // namespace

std::string_view name(Applies applies) {
  switch (applies) {
    case Applies::live: return "live";
    case Applies::reconnect: return "reconnect";
    case Applies::restart: return "restart";
  }
  return "";
}

std::string quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

std::string one_of(const std::vector<std::string>& words) {
  std::string out;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += quoted(words[i]);
  }
  return out;
}

bool is_list(Reading& reading, const Node& node, const std::string& name, Range<size_t> items) {
  if (node.kind != Kind::array) {
    reading.expected(node, "a list of " + name, node.kind == Kind::string ? "[" + shown(node) + "]" : "");
    return false;
  }
  if (node.items.size() < items.min) {
    reading.error(node.place, "expected a list of " + name + " with at least one entry, found an empty one");
  } else if (node.items.size() > items.max) {
    reading.error(node.place, "expected at most " + std::to_string(items.max) + " entries, found " +
                                  std::to_string(node.items.size()));
    return false;
  }
  return true;
}

Type<bool> boolean() {
  auto read = [](Reading& reading, const Node& node, bool& out) {
    if (node.kind == Kind::boolean) {
      out = node.boolean;
      return;
    }
    bool yes = node.text == "true" || node.text == "1" || node.text == "yes" || node.text == "on";
    bool no = node.text == "false" || node.text == "0" || node.text == "no" || node.text == "off";
    reading.expected(node, "true or false", yes ? "true" : no ? "false" : "");
  };
  return {"true or false", read, [](const bool& value) { return std::string(value ? "true" : "false"); }};
}

Type<Millis> duration(Range<Millis> range) {
  std::string span = span_text(duration_text(range.min), duration_text(range.max));
  std::string what = R"(a duration such as "30s", )" + span;
  auto read = [range, what](Reading& reading, const Node& node, Millis& out) {
    if (auto value = read_duration(reading, node, range, what, false)) out = value->value();
  };
  return {"duration, " + span, read, [](const Millis& value) { return quoted(duration_text(value)); }};
}

Type<std::optional<Millis>> timer(Range<Millis> range) {
  std::string span = span_text(duration_text(range.min), duration_text(range.max)) + R"(, or "off")";
  std::string what = R"(a duration such as "30s", )" + span;
  auto read = [range, what](Reading& reading, const Node& node, std::optional<Millis>& out) {
    if (auto value = read_duration(reading, node, range, what, true)) out = *value;
  };
  auto text = [](const std::optional<Millis>& value) { return quoted(value ? duration_text(*value) : "off"); };
  return {"duration, " + span, read, text};
}

Type<uint64_t> size(Range<uint64_t> range, Lifted lifted) {
  std::string span = range.max == unlimited ? size_text(range.min) + " or more"
                                            : span_text(size_text(range.min), size_text(range.max));
  if (lifted == Lifted::allowed) span += R"(, or "unlimited")";
  std::string what = R"(a size such as "64KiB" or "10MB", )" + span;
  auto read = [range, lifted, what](Reading& reading, const Node& node, uint64_t& out) {
    if (node.kind == Kind::string) {
      auto text = reading.text(node, what);
      if (!text) return;
      auto value = lifted == Lifted::allowed && *text == "unlimited" ? unlimited : parse_size(*text);
      if (value && *value >= range.min && *value <= range.max) {
        out = *value;
        return;
      }
    }
    if (lifted == Lifted::allowed && says_zero(node))
      return reading.expected(node, what, R"("unlimited" (0 never means "no limit"))");
    std::string hint = size_hint(node);
    auto meant = parse_size(hint);
    bool fits = meant && *meant >= range.min && *meant <= range.max;
    reading.expected(node, what, fits ? quoted(hint) : "");
  };
  return {"size, " + span, read, [](const uint64_t& value) { return quoted(size_text(value)); }};
}

Type<uint64_t> count(Range<uint64_t> range, Lifted lifted) {
  return counted<uint64_t>({range.min, range.max, lifted});
}
Type<uint32_t> count32(Range<uint32_t> range) {
  return counted<uint32_t>({range.min, range.max, Lifted::never});
}
Type<uint16_t> count16(Range<uint16_t> range) {
  return counted<uint16_t>({range.min, range.max, Lifted::never});
}

Type<uint8_t> percent() {
  constexpr std::string_view what = R"(a share such as "80%", 1% to 100%)";
  auto read = [what](Reading& reading, const Node& node, uint8_t& out) {
    std::optional<uint8_t> value;
    if (node.kind == Kind::string) {
      auto text = reading.text(node, what);
      if (!text) return;
      value = parse_percent(*text);
    }
    if (value && *value > 0) {
      out = *value;
      return;
    }
    bool bare = node.kind != Kind::boolean && parse_percent(node.text + "%").value_or(0) > 0;
    reading.expected(node, what, bare ? quoted(node.text + "%") : "");
  };
  return {"share, 1% to 100%", read, [](const uint8_t& value) { return quoted(std::to_string(value) + "%"); }};
}

Type<Qos> qos() {
  auto read = [](Reading& reading, const Node& node, Qos& out) {
    if (auto value = read_count(reading, node, {0, 2, Lifted::never})) out = static_cast<Qos>(*value);
  };
  return {"0, 1 or 2", read, [](const Qos& value) { return std::to_string(static_cast<int>(value)); }};
}

Type<std::string> free_text(Range<size_t> bytes) {
  std::string what = "text of " + span_text(std::to_string(bytes.min), std::to_string(bytes.max)) + " bytes";
  auto read = [what, bytes](Reading& reading, const Node& node, std::string& out) {
    auto text = reading.text(node, what);
    if (!text) return;
    if (text->size() < bytes.min || text->size() > bytes.max) return reading.expected(node, what);
    out = std::move(*text);
  };
  return {"text", read, [](const std::string& text) { return quoted(text); }};
}

Type<std::string> name_text() {
  return checked_text("name", "a name of 1 to 64 characters out of A-Z a-z 0-9 _ -", is_name);
}

Type<std::string> path_text() {
  auto read = [](Reading& reading, const Node& node, std::string& out) {
    if (auto path = reading.path(node)) out = std::move(*path);
  };
  return {"path", read, [](const std::string& text) { return text.empty() ? "none" : quoted(text); }};
}

Type<std::string> range_text() {
  return checked_text("address or range", R"(an IP address or a range such as "10.1.0.0/16")", is_ip_range);
}

Type<std::string> http_path_text() {
  auto check = [](std::string_view text) { return text == "*" || text.starts_with("/"); };
  return checked_text("path", R"(a path such as "/mqtt", or "*" for any)", check);
}

Type<uint16_t> file_mode() {
  constexpr std::string_view what = R"(permissions such as "0660", as in chmod)";
  auto read = [what](Reading& reading, const Node& node, uint16_t& out) {
    if (node.kind != Kind::string) return reading.expected(node, what, quoted(node.text));
    auto text = reading.text(node, what);
    if (!text) return;
    auto mode = parse_mode(*text);
    if (!mode) return reading.expected(node, what);
    out = *mode;
  };
  auto text = [](const uint16_t& mode) {
    std::string out = "0";
    for (int shift = 6; shift >= 0; shift -= 3) out += static_cast<char>('0' + ((mode >> shift) & 7));
    return quoted(out);
  };
  return {"permissions", read, text};
}

Type<std::string> bind_text() {
  return checked_text("IP address or interface",
                      R"(an IP address such as "127.0.0.1", "0.0.0.0" or "::", or an interface such as "eth1")",
                      is_bind);
}

Type<Secret> secret() {
  auto read = [](Reading& reading, const Node& node, Secret& out) {
    if (auto value = reading.secret(node)) out = std::move(*value);
  };
  return {"secret", read, [](const Secret&) { return std::string("none"); }};
}

Type<Address> address() {
  constexpr std::string_view what = R"(host or host:port, "[::1]:1883" for IPv6)";
  auto read = [what](Reading& reading, const Node& node, Address& out) {
    auto text = reading.text(node, what);
    if (!text) return;
    auto value = parse_address(*text);
    if (value) {
      out = std::move(*value);
      return;
    }
    std::string hint;
    if (is_ip_address(*text)) hint = quoted("[" + *text + "]");
    if (size_t scheme = text->find("://"); scheme != std::string::npos && parse_address(text->substr(scheme + 3)))
      hint = quoted(text->substr(scheme + 3));
    reading.expected(node, what, hint);
  };
  auto text = [](const Address& value) { return quoted(value.host + ":" + std::to_string(value.port)); };
  return {"host[:port]", read, text};
}

std::optional<size_t> read_word(Reading& reading, const Node& node, const std::vector<std::string>& words,
                                const OtherWords& others) {
  std::string what = one_of(words);
  std::string written = node.text;
  if (node.kind == Kind::string) {
    auto text = reading.text(node, what);
    if (!text) return std::nullopt;
    written = *text;
    auto at = std::ranges::find(words, written);
    if (at != words.end()) return static_cast<size_t>(at - words.begin());
    if (std::ranges::count(others.later, written) > 0) {
      reading.error(node.place, shown(node) + " is known but not in this version of Tidegate; expected " + what);
      return std::nullopt;
    }
  }
  std::string hint;
  auto theirs = std::ranges::find(others.theirs, written, &std::pair<std::string, std::string>::first);
  if (theirs != others.theirs.end()) {
    hint = quoted(theirs->second);
  } else if (auto near = nearest(written, words)) {
    hint = quoted(*near);
  }
  reading.expected(node, what, hint);
  return std::nullopt;
}

}  // namespace tidegate::config
