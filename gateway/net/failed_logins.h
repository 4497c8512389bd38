// Slows down who guesses passwords: after each failed log-in from an address its next one waits longer, twice as long each
// time up to a limit; a quiet time makes up for one failure after another. Other addresses are not touched.
//
// Bounded: beyond `addresses_max`, the one whose last failure is longest ago is forgotten. Time is an argument.
// Thread: the core's.
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>

#include "gateway/base/time.h"
#include "gateway/net/peer_key.h"

namespace tidegate::net {

class FailedLogins {
 public:
  static constexpr Millis first_delay{100};
  static constexpr Millis forgiven_after{60'000};  // one failure each

  explicit FailedLogins(size_t addresses_max) : addresses_max_(addresses_max) {}

  // How long the next log-in from there waits from now on; `delay_max` 0: never.
  [[nodiscard]] Millis delay(const PeerKey& from, Millis delay_max, Instant now) const;
  // True: the first of a burst worth a line in the log.
  [[nodiscard]] bool failed(const PeerKey& from, Instant now);
  [[nodiscard]] uint32_t failures(const PeerKey& from, Instant now) const;
  [[nodiscard]] size_t addresses() const { return by_age_.size(); }

 private:
  struct Entry {
    PeerKey from;
    uint32_t failures = 0;
    Instant last{};
    bool told = false;
  };
  using Place = std::list<Entry>::iterator;
  [[nodiscard]] static uint32_t failures_left(const Entry& entry, Instant now);

  const size_t addresses_max_;
  std::list<Entry> by_age_;  // the newest failure last
  std::unordered_map<PeerKey, Place> by_address_;
};

}  // namespace tidegate::net
