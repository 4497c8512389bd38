#include "config/mosquitto.h"

#include <algorithm>
#include <array>

#include "config/mosquitto_options.h"
#include "config/units.h"

namespace tidegate::config {
namespace {

std::string in_quotes(std::string_view text) {
  return '"' + std::string(text) + '"';
}

std::optional<bool> says_yes(const Node& value) {
  if (value.kind == Kind::boolean) return value.boolean;
  if (value.text == "true" || value.text == "1") return true;
  if (value.text == "false" || value.text == "0") return false;
  return std::nullopt;
}

std::string_view word_of_ours(std::string_view theirs) {
  constexpr std::array<std::array<std::string_view, 2>, 8> words = {{{"websockets", "websocket"},
                                                                     {"tlsv1.2", "1.2"},
                                                                     {"tlsv1.3", "1.3"},
                                                                     {"mqtt", "tcp"},
                                                                     {"mqttv31", "3.1.1"},
                                                                     {"mqttv311", "3.1.1"},
                                                                     {"mqttv50", "5.0"},
                                                                     {"mqttv5", "5.0"}}};
  for (const auto& word : words)
    if (word[0] == theirs) return word[1];
  return theirs;
}

// `value` as it is written here; none: it cannot be said.
std::optional<std::string> converted(const Node& value, As as) {
  bool scalar = value.kind == Kind::string || value.kind == Kind::number;
  auto number = parse_whole(value.text);
  auto yes = says_yes(value);
  switch (as) {
    case As::none: return "";
    case As::text: return scalar ? std::optional(in_quotes(value.text)) : std::nullopt;
    case As::word: return scalar ? std::optional(in_quotes(word_of_ours(value.text))) : std::nullopt;
    case As::list: return scalar ? std::optional("[" + in_quotes(value.text) + "]") : std::nullopt;
    case As::number: return number ? std::optional(std::to_string(*number)) : std::nullopt;
    case As::limit:
      if (!number) return std::nullopt;
      return *number == 0 ? in_quotes("unlimited") : std::to_string(*number);
    case As::seconds:
      if (number && *number == 0) return in_quotes("off");
      if (number && *number <= 1'000'000'000) return in_quotes(std::to_string(*number) + "s");
      return parse_duration(value.text) ? std::optional(in_quotes(value.text)) : std::nullopt;
    case As::size:
      if (number && *number == 0) return in_quotes("unlimited");
      if (number) return in_quotes(size_text(*number));
      return parse_size(value.text) ? std::optional(in_quotes(value.text)) : std::nullopt;
    case As::boolean: return yes ? std::optional<std::string>(*yes ? "true" : "false") : std::nullopt;
    case As::inverted: return yes ? std::optional<std::string>(*yes ? "false" : "true") : std::nullopt;
  }
  return std::nullopt;
}

bool is_named(const MosquittoOption& option, std::string_view key) {
  std::string_view theirs = option.theirs;
  return theirs.ends_with('*') ? key.starts_with(theirs.substr(0, theirs.size() - 1)) : theirs == key;
}

// The entry for `key` that fits the section best: in it, inside it, in its top-level branch, else the first. A whole name
// comes before the beginning of one.
const MosquittoOption* find_option(std::string_view where, std::string_view key) {
  const MosquittoOption* best = nullptr;
  int best_fit = -1;
  for (const MosquittoOption& s : mosquitto_options()) {
    if (!is_named(s, key)) continue;
    bool inside = !where.empty() && s.where.starts_with(where);
    bool same_branch = !where.empty() && s.where.substr(0, 3) == where.substr(0, 3);
    int fit = (s.theirs == key ? 4 : 0) + (s.where == where ? 3 : inside ? 2 : same_branch ? 1 : 0);
    if (fit <= best_fit) continue;
    best = &s;
    best_fit = fit;
  }
  return best;
}

std::string filled_in(const MosquittoOption& option, const Node& value) {
  std::string out(option.ours);
  size_t at = out.find('@');
  if (at == std::string::npos) return out;
  auto text = converted(value, option.as);
  bool retain = option.ours.starts_with(R"("retain")");
  if (text && retain) text = *text == "true" ? R"("clear")" : R"("keep")";
  return out.replace(at, 1, text.value_or("..."));
}

}  // namespace

std::optional<std::string> mosquitto_key_hint(std::string_view where, const Member& member) {
  const MosquittoOption* option = find_option(where, member.key);
  if (option == nullptr) return std::nullopt;
  if (option->where.empty()) return "it is Mosquitto's; " + std::string(option->ours);
  // A name that both have is unknown in the wrong place only; which is the right one is known without this table.
  bool same = option->ours.substr(1).starts_with(std::string(member.key) + '"');
  if (same && !where.empty()) return std::nullopt;
  std::string hint = "it is Mosquitto's spelling; write " + filled_in(*option, member.value);
  if (option->where != where) hint += " in " + std::string(option->where);
  return hint;
}

std::optional<std::string> mosquitto_value_hint(std::string_view where, const Node& value) {
  if (where == "bridges[].tls" && says_yes(value) == true) return "{}";
  if (where != "bridges[].restart_timeout") return std::nullopt;
  constexpr std::array<std::string_view, 3> keys = {"base", "cap", "stable_after"};
  std::string out;
  std::string_view rest = value.text;
  size_t used = 0;
  while (!rest.empty() && used < keys.size()) {
    std::string_view part = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    if (!parse_whole(part) && !parse_duration(part)) return std::nullopt;
    std::string duration = std::string(part) + (parse_whole(part) ? "s" : "");
    out += (used > 0 ? ", " : "") + in_quotes(keys[used]) + ": " + in_quotes(duration);
    ++used;
  }
  if (used == 0) return std::nullopt;
  return "{ " + out + " }";
}

}  // namespace tidegate::config
