// Mosquitto's options and what they are here: what answers its spellings in a configuration, and what MOSQUITTO.md is
// printed from. Plain data.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::config {

// The sections of MOSQUITTO.md, in order. elsewhere: no option of Mosquitto's in this place, but written there by people.
enum class MosquittoPart : uint8_t {
  general,
  authentication,
  listener,
  listener_tls,
  bridge,
  bridge_tls,
  persistence,
  logging,
  signal,
  command_line,
  elsewhere
};

// How the value is written here. none: the text of `ours` is complete. word: a text that has another spelling here.
enum class As : uint8_t { none, text, word, list, number, limit, seconds, size, boolean, inverted };

struct MosquittoOption {
  MosquittoPart part;
  std::string_view theirs;  // with a * at its end: all that begin so
  std::string_view where;   // the section `ours` belongs in; empty: no key of ours, `ours` is the whole answer
  std::string_view ours;    // keys with their values; @ stands for the value
  As as = As::none;
  std::string_view note = {};  // what is different here, for the page
};

[[nodiscard]] std::span<const MosquittoOption> mosquitto_options();

// The keys in `ours`: bind and port of `"bind": @, "port": 1883`.
[[nodiscard]] std::vector<std::string> keys_of(const MosquittoOption& option);

// MOSQUITTO.md: what each option is here, by section and name.
[[nodiscard]] std::string mosquitto_markdown();

}  // namespace tidegate::config
