// How the value of a key is read, shown and compared: one Type per kind of value. A read() that finds the value wrong
// reports it and leaves the target as it was.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/reading.h"
#include "config/suggest.h"

namespace tidegate::config {

// When a changed value takes effect. live: at a reload, nobody is cut. reconnect: that bridge or listener begins anew.
// restart: named as pending.
enum class Applies : uint8_t { live, reconnect, restart };
[[nodiscard]] std::string_view name(Applies applies);

struct ChangedKey {
  std::string key;  // "limits.max_connections"; within a bridge or listener "queue.max_bytes"
  Applies applies = Applies::live;

  friend bool operator==(const ChangedKey&, const ChangedKey&) = default;
};

struct SectionInfo;

template <class T>
struct Type {
  std::string name;  // for people: "duration, 1s to 5m"
  std::function<void(Reading&, const Node&, T&)> read;
  std::function<std::string(const T&)> text;      // as JSON, for defaults
  std::vector<const SectionInfo*> sections = {};  // of objects and lists of objects
  // Names what differs, `key` in front. Not set: the key as a whole.
  std::function<void(const T&, const T&, const std::string& key, std::vector<ChangedKey>&)> changes = {};
};

template <class Int>
struct Range {
  Int min, max;
};
enum class Lifted : uint8_t { never, allowed };  // may be "unlimited"

[[nodiscard]] Type<bool> boolean();
[[nodiscard]] Type<Millis> duration(Range<Millis> range);
[[nodiscard]] Type<std::optional<Millis>> timer(Range<Millis> range);  // or "off"
[[nodiscard]] Type<uint64_t> size(Range<uint64_t> range, Lifted lifted = Lifted::never);
[[nodiscard]] Type<uint64_t> count(Range<uint64_t> range, Lifted lifted = Lifted::never);
[[nodiscard]] Type<uint32_t> count32(Range<uint32_t> range);
[[nodiscard]] Type<uint16_t> count16(Range<uint16_t> range);
[[nodiscard]] Type<uint8_t> percent();
[[nodiscard]] Type<Qos> qos();
[[nodiscard]] Type<std::string> free_text(Range<size_t> bytes);
[[nodiscard]] Type<std::string> name_text();
[[nodiscard]] Type<std::string> path_text();
[[nodiscard]] Type<std::string> bind_text();
[[nodiscard]] Type<std::string> range_text();      // of addresses
[[nodiscard]] Type<std::string> http_path_text();  // or "*"
[[nodiscard]] Type<uint16_t> file_mode();
[[nodiscard]] Type<Secret> secret();
[[nodiscard]] Type<Address> address();

// ---- words: a key that takes one of a few

template <class E>
struct Word {
  std::string text;
  E value;
};
struct OtherWords {
  std::vector<std::string> later = {};                           // settled, but not in this version
  std::vector<std::pair<std::string, std::string>> theirs = {};  // Mosquitto's word, ours
};

// The word that `node` holds, as its place in `words`; reports what is wrong.
[[nodiscard]] std::optional<size_t> read_word(Reading& reading, const Node& node, const std::vector<std::string>& words,
                                              const OtherWords& others);
[[nodiscard]] std::string quoted(std::string_view text);
[[nodiscard]] std::string one_of(const std::vector<std::string>& words);

template <class E>
[[nodiscard]] Type<E> word(std::vector<Word<E>> words, OtherWords others = {}) {
  std::vector<std::string> texts;
  for (const auto& w : words) texts.push_back(w.text);
  auto read = [words, texts, others](Reading& reading, const Node& node, E& out) {
    if (auto at = read_word(reading, node, texts, others)) out = words[*at].value;
  };
  auto text = [words](const E& value) {
    for (const auto& w : words)
      if (w.value == value) return quoted(w.text);
    return std::string();
  };
  return {one_of(texts), read, text};
}

// ---- made of other types

template <class T>
[[nodiscard]] Type<std::optional<T>> maybe(Type<T> type) {
  auto read = [type](Reading& reading, const Node& node, std::optional<T>& out) {
    T value{};
    type.read(reading, node, value);
    out = std::move(value);
  };
  auto text = [type](const std::optional<T>& value) { return value ? type.text(*value) : std::string("none"); };
  return {type.name, read, text, type.sections};
}

// A list with a number of entries in `items`; reports what is wrong. `name` says for people what it holds.
[[nodiscard]] bool is_list(Reading& reading, const Node& node, const std::string& name, Range<size_t> items);

template <class T>
[[nodiscard]] Type<std::vector<T>> list(Type<T> type, std::string name_of_many, Range<size_t> items) {
  auto read = [type, name_of_many, items](Reading& reading, const Node& node, std::vector<T>& out) {
    if (!is_list(reading, node, name_of_many, items)) return;
    out.clear();
    for (const Node& item : node.items) {
      T value{};
      type.read(reading, item, value);
      out.push_back(std::move(value));
    }
  };
  auto text = [type](const std::vector<T>& values) {
    std::string out;
    for (const T& value : values) out += (out.empty() ? "" : ", ") + type.text(value);
    return "[" + out + "]";
  };
  return {"list of " + name_of_many, read, text, type.sections};
}

}  // namespace tidegate::config
