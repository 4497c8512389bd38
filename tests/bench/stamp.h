// What every payload begins with: who sent it, as which, and when. The rest of the payload is filling.
// Host byte order: written and read by these programs on one machine.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

struct Stamp {
  static constexpr uint32_t magic_value = 0x31474454;  // "TDG1"

  uint32_t magic = magic_value;
  uint32_t run = 0;        // tells the messages of one run from what earlier ones left behind
  uint32_t publisher = 0;  // from 0
  uint32_t reserved = 0;
  uint64_t sequence = 0;   // from 1, per publisher, without gaps
  int64_t sent_at_ns = 0;  // steady clock, which all processes of a machine share; paced: when it was due
};
static_assert(sizeof(Stamp) == 32);

inline void write_stamp(std::string& payload, const Stamp& stamp) {
  std::memcpy(payload.data(), &stamp, sizeof(stamp));
}

inline std::optional<Stamp> read_stamp(std::string_view payload) {
  Stamp stamp;
  if (payload.size() < sizeof(stamp)) return std::nullopt;
  std::memcpy(&stamp, payload.data(), sizeof(stamp));
  if (stamp.magic != Stamp::magic_value) return std::nullopt;
  return stamp;
}

}  // namespace bench
