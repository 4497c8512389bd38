// Topic names, filters and their matching against a reference that is written for nothing but plainness.
// Input: a filter, a zero byte, a topic.
#include <algorithm>
#include <string>
#include <vector>

#include "gateway/base/topic.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace tidegate;
using Levels = std::vector<std::string>;

// RFC 3629 by code point.
bool reference_utf8(std::string_view s) {
  for (size_t i = 0; i < s.size();) {
    auto lead = static_cast<uint8_t>(s[i++]);
    int more = lead < 0x80 ? 0 : lead >> 5 == 6 ? 1 : lead >> 4 == 14 ? 2 : lead >> 3 == 30 ? 3 : -1;
    if (more < 0) return false;
    uint32_t point = more == 0 ? lead : lead & (0x3Fu >> more);
    for (int k = 0; k < more; ++k, ++i) {
      if (i >= s.size() || (static_cast<uint8_t>(s[i]) & 0xC0) != 0x80) return false;
      point = point << 6 | (static_cast<uint8_t>(s[i]) & 0x3Fu);
    }
    constexpr uint32_t smallest[] = {1, 0x80, 0x800, 0x10000};
    if (point < smallest[more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
  }
  return s.size() <= 65535;
}

Levels levels_of(std::string_view text) {
  Levels levels(1);
  for (char c : text) {
    if (c == '/') {
      levels.emplace_back();
    } else {
      levels.back() += c;
    }
  }
  return levels;
}

bool reference_filter(std::string_view text) {
  if (text.empty() || !reference_utf8(text)) return false;
  Levels levels = levels_of(text);
  for (size_t i = 0; i < levels.size(); ++i) {
    if (levels[i] == "+" || (levels[i] == "#" && i + 1 == levels.size())) continue;
    for (char c : levels[i])
      if (c == '+' || c == '#') return false;
  }
  return true;
}

bool reference_name(std::string_view text) {
  if (text.empty() || !reference_utf8(text)) return false;
  for (char c : text)
    if (c == '+' || c == '#') return false;
  return true;
}

bool levels_match(const Levels& filter, const Levels& name, size_t i) {
  if (i < filter.size() && filter[i] == "#") return true;  // the parent as well: name may end here
  if (i == filter.size() || i == name.size()) return i == filter.size() && i == name.size();
  return (filter[i] == "+" || filter[i] == name[i]) && levels_match(filter, name, i + 1);
}

bool reference_match(std::string_view filter, std::string_view name) {
  if (name[0] == '$' && (filter[0] == '+' || filter[0] == '#')) return false;
  return levels_match(levels_of(filter), levels_of(name), 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = as_text(data, size);
  FUZZ_EXPECT(is_valid_utf8_string(input) == reference_utf8(input));
  FUZZ_EXPECT(TopicName::parse(input).has_value() == reference_name(input));

  size_t cut = std::min(input.find('\0'), input.size());
  std::string_view left = input.substr(0, cut), right = input.substr(std::min(cut + 1, input.size()));
  auto filter = TopicFilter::parse(left);
  auto name = TopicName::parse(right);
  FUZZ_EXPECT(filter.has_value() == reference_filter(left));
  FUZZ_EXPECT(name.has_value() == reference_name(right));
  if (filter && name) FUZZ_EXPECT(filter->matches(*name) == reference_match(left, right));
  if (filter && !filter->has_wildcard() && name) FUZZ_EXPECT(filter->matches(*name) == (left == right));
  return 0;
}
