#include <algorithm>

#include "config/mosquitto_options.h"
#include "config/schema.h"

namespace tidegate::config {
namespace {

constexpr std::string_view opening = R"(# Mosquitto's options here

What each option of Mosquitto 2.1, of its signals and of its command line is in Tidegate, or why there is none. Keys are
those of [REFERENCE.md](REFERENCE.md); a configuration that uses Mosquitto's spelling is answered with ours.

Printed from `mosquitto_options.cpp`; tests hold it to the schema. To print it anew:
`TIDEGATE_WRITE_MOSQUITTO=config/MOSQUITTO.md build/dev/tests/unit_config --gtest_filter=MosquittoPage.*`.
)";

constexpr std::string_view titles[] = {"General", "Authentication", "Listeners",   "TLS of listeners",
                                       "Bridges", "TLS of bridges", "Persistence", "Log",
                                       "Signals", "Command line"};

bool is_later(std::string_view where, std::string_view key) {
  for (const SectionInfo* section : all_sections()) {
    if (section->where != where) continue;
    auto at = std::ranges::find(section->keys, key, &KeyInfo::key);
    return at != section->keys.end() && at->later;
  }
  return false;
}

std::string answer(const MosquittoOption& option) {
  if (option.where.empty()) return std::string(option.ours);
  bool top = option.where == "the top level";
  std::string out;
  for (const std::string& key : keys_of(option)) {
    out += (out.empty() ? "`" : ", `") + (top ? "" : std::string(option.where) + ".") + key + "`";
    if (is_later(option.where, key)) out += ", not in this version";
  }
  if (!option.note.empty()) out += "; " + std::string(option.note);
  return out;
}

}  // namespace

std::vector<std::string> keys_of(const MosquittoOption& option) {
  std::vector<std::string> keys;
  int depth = 0;
  for (size_t i = 0; i < option.ours.size(); ++i) {
    char c = option.ours[i];
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (c != '"') continue;
    size_t end = option.ours.find('"', i + 1);
    bool is_key = option.ours.substr(end).starts_with("\":");
    if (is_key && depth == 0) keys.emplace_back(option.ours.substr(i + 1, end - i - 1));
    i = end;
  }
  return keys;
}

std::string mosquitto_markdown() {
  std::string out(opening);
  for (size_t part = 0; part < std::size(titles); ++part) {
    out += "\n## " + std::string(titles[part]) + "\n\n| Mosquitto | Tidegate |\n|---|---|\n";
    for (const MosquittoOption& option : mosquitto_options()) {
      if (static_cast<size_t>(option.part) != part) continue;
      out += "| `" + std::string(option.theirs) + "` | " + answer(option) + " |\n";
    }
  }
  return out;
}

}  // namespace tidegate::config
