#include "config/reference.h"

#include "config/schema.h"

namespace tidegate::config {
namespace {

constexpr std::string_view opening = R"(# Every key of the configuration

Printed from `schema_*.cpp`, which also reads the files; a test holds the two together. To print it anew:
`TIDEGATE_WRITE_REFERENCE=config/REFERENCE.md build/dev/tests/unit_config --gtest_filter=Reference.*`.

- JSON with comments. Trailing commas, unknown keys and keys written twice are errors with file, line and column.
- Durations and sizes carry a unit: "200ms" "30s" "5m" "12h" "7d"; "512B" "64KiB" "10MB" (kB, MB = 1000; KiB, MiB =
  1024). A limit is lifted with "unlimited", a timer with "off"; 0 never means "no limit".
- `${NAME}` in a string is the environment's; unset is an error. `$$` is one `$`; any other `$` stays.
- A secret is "file:PATH" (mode 0640 or stricter; one newline at its end is cut), "${NAME}", or the text itself (then a
  configuration file that others can read is a warning).
- Paths are relative to the folder of the file they stand in.
- Names are 1 to 64 characters out of A-Z a-z 0-9 _ -.
- "When": *live* = a reload applies it without cutting anybody; *reconnect* = that bridge or listener begins anew;
  *restart* = named as pending.
)";

std::string in_cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string default_cell(const KeyInfo& key) {
  if (key.required) return "**required**";
  bool code = key.default_text.find_first_of("\"[{0123456789") == 0 || key.default_text == "true" ||
              key.default_text == "false";
  return code ? "`" + key.default_text + "`" : key.default_text;
}

std::string section_text(const SectionInfo& section) {
  std::string out = "\n## " + (section.where.empty() ? "The top level" : "`" + section.where + "`") + "\n\n";
  if (!section.doc.empty()) out += section.doc + "\n\n";
  out += "| key | type | default | when | what |\n|---|---|---|---|---|\n";
  std::string later;
  for (const KeyInfo& key : section.keys) {
    if (key.later) {
      later += (later.empty() ? "`" : ", `") + key.key + "`";
      continue;
    }
    out += "| `" + key.key + "` | " + in_cell(key.type) + " | " + in_cell(default_cell(key)) + " | " +
           std::string(name(key.applies)) + " | " + in_cell(key.doc) + " |\n";
  }
  if (!later.empty()) out += "\nKnown, but not in this version (an error, never ignored): " + later + ".\n";
  return out;
}

}  // namespace

std::string reference_markdown() {
  std::string out(opening);
  for (const SectionInfo* section : all_sections()) out += section_text(*section);
  return out;
}

}  // namespace tidegate::config
