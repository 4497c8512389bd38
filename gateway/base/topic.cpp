#include "gateway/base/topic.h"

#include <cstdint>
#include <cstring>

namespace tidegate {
namespace {

// Topics are nearly always short ASCII: eight bytes are judged at a time, and only what fails there is read byte by byte.
constexpr uint64_t kEachByte = 0x0101010101010101;
constexpr uint64_t kHighBits = 0x80 * kEachByte;

// ASCII without U+0000. A zero byte borrows and so sets a high bit.
bool is_plain(uint64_t word) {
  return (((word - kEachByte) | word) & kHighBits) == 0;
}

// is_plain, and neither '#' (0x23) nor '+' (0x2B): the one bit in which they differ is set, then both are one value.
bool is_plain_without_wildcard(uint64_t word) {
  return is_plain(word) && is_plain((word | 0x08 * kEachByte) ^ '+' * kEachByte);
}

template <bool holds(uint64_t)>
bool every_word(std::string_view text) {
  auto load = [](const char* at, size_t n) {
    uint64_t word = 'a' * kEachByte;
    std::memcpy(&word, at, n);
    return word;
  };
  if (text.size() < sizeof(uint64_t)) return holds(load(text.data(), text.size()));
  const char* last = text.data() + text.size() - sizeof(uint64_t);
  for (const char* at = text.data(); at < last; at += sizeof(uint64_t))
    if (!holds(load(at, sizeof(uint64_t)))) return false;
  return holds(load(last, sizeof(uint64_t)));
}

// Length of the well-formed UTF-8 sequence at the start of `s` (Unicode table 3-7), or 0.
size_t utf8_sequence(std::string_view s) {
  auto byte = [&](size_t i) { return i < s.size() ? static_cast<uint8_t>(s[i]) : 0; };
  auto tail = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  uint8_t lead = byte(0);
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (lead == 0xED && byte(1) > 0x9F) return 0;  // surrogates
    return tail(1) && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (lead == 0xF0 && byte(1) < 0x90) return 0;  // overlong
    if (lead == 0xF4 && byte(1) > 0x8F) return 0;  // beyond U+10FFFF
    return tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool is_valid_utf8_string(std::string_view text) {
  if (text.empty()) return true;
  if (text.size() > 65535) return false;
  if (every_word<is_plain>(text)) return true;
  while (!text.empty()) {
    if (static_cast<uint8_t>(text.front()) < 0x80) {
      if (text.front() == '\0') return false;
      text.remove_prefix(1);
      continue;
    }
    size_t length = utf8_sequence(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::optional<TopicName> TopicName::parse(std::string_view text) {
  if (text.empty() || text.size() > 65535) return {};
  if (every_word<is_plain_without_wildcard>(text)) return TopicName(text);
  if (text.find_first_of("+#") != std::string_view::npos || !is_valid_utf8_string(text)) return {};
  return TopicName(text);
}

std::optional<TopicFilter> TopicFilter::parse(std::string_view text) {
  if (text.empty() || !is_valid_utf8_string(text)) return {};
  std::string_view rest = text;
  for (bool done = false; !done;) {
    std::string_view level = next_level(rest, done);
    if (level == "#") {
      if (!done) return {};
    } else if (level != "+" && level.find_first_of("+#") != std::string_view::npos) {
      return {};
    }
  }
  return TopicFilter(text);
}

bool TopicFilter::has_wildcard() const {
  return text_.find_first_of("+#") != std::string::npos;
}

bool TopicFilter::matches(TopicName topic) const {
  if (topic.is_reserved() && (text_.front() == '+' || text_.front() == '#')) return false;
  std::string_view filter = text_, name = topic.text();
  for (bool filter_done = false, name_done = false;;) {
    std::string_view f = next_level(filter, filter_done);
    if (f == "#") return true;
    std::string_view n = next_level(name, name_done);
    if (f != "+" && f != n) return false;
    if (name_done) return filter_done || filter == "#";  // "a/#" matches "a" as well
    if (filter_done) return false;
  }
}

bool TopicFilter::overlaps(const TopicFilter& other) const {
  auto sees_no_reserved = [](const TopicFilter& f) { return f.text_.front() == '+' || f.text_.front() == '#'; };
  if (sees_no_reserved(*this) && other.text_.front() == '$') return false;
  if (sees_no_reserved(other) && text_.front() == '$') return false;
  std::string_view left = text_, right = other.text_;
  for (bool left_done = false, right_done = false;;) {
    std::string_view l = next_level(left, left_done), r = next_level(right, right_done);
    if (l == "#" || r == "#") return true;
    if (l != r && l != "+" && r != "+") return false;
    if (left_done && right_done) return true;
    if (left_done) return right == "#";  // "a/#" matches "a" as well
    if (right_done) return left == "#";
  }
}

bool TopicFilter::covers(const TopicFilter& other) const {
  if ((text_.front() == '+' || text_.front() == '#') && other.text_.front() == '$') return false;
  std::string_view wide = text_, narrow = other.text_;
  for (bool wide_done = false, narrow_done = false;;) {
    std::string_view w = next_level(wide, wide_done);
    if (w == "#") return true;
    std::string_view n = next_level(narrow, narrow_done);
    if (n == "#" || (w != "+" && w != n)) return false;
    if (narrow_done) return wide_done || wide == "#";
    if (wide_done) return false;
  }
}

}  // namespace tidegate
