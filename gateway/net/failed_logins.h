// Slows down who guesses passwords: after each failed log-in its next one waits longer, twice as long each time up to a
// limit; a quiet time makes up for one failure after another. Others are not touched.
//
// Counted is by address and user name, and by address alone, as the caller says.
// Bounded: beyond `entries_max`, the one whose last failure is longest ago is forgotten. Time is an argument.
// Thread: the core's.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "gateway/base/time.h"
#include "gateway/net/peer_key.h"

namespace tidegate::net {

struct LoginKey {
  LoginKey(const PeerKey& address) : from(address) {}
  LoginKey(const PeerKey& address, std::string_view user) : from(address), name(std::hash<std::string_view>()(user)) {}
  friend bool operator==(const LoginKey&, const LoginKey&) = default;
  struct Hash {
    size_t operator()(const LoginKey& key) const noexcept {
      return std::hash<PeerKey>()(key.from) ^ static_cast<size_t>(key.name.value_or(0));
    }
  };

  PeerKey from;
  std::optional<uint64_t> name;  // hashed; none: of the address as a whole
};

class FailedLogins {
 public:
  static constexpr Millis first_delay{100};
  static constexpr Millis forgiven_after{60'000};  // one failure each

  explicit FailedLogins(size_t entries_max) : entries_max_(entries_max) {}

  // How long the next log-in waits from now on; `delay_max` 0: never. So many failures are `free`.
  [[nodiscard]] Millis delay(const LoginKey& of, Millis delay_max, Instant now, uint32_t free = 0) const;
  // True: the first of a burst worth a line in the log.
  [[nodiscard]] bool failed(const LoginKey& of, Instant now, uint32_t free = 0);
  [[nodiscard]] uint32_t failures(const LoginKey& of, Instant now) const;
  [[nodiscard]] size_t size() const { return by_age_.size(); }

 private:
  struct Entry {
    LoginKey of;
    uint32_t failures = 0;
    Instant last{};
    bool told = false;
  };
  using Place = std::list<Entry>::iterator;
  [[nodiscard]] static uint32_t failures_left(const Entry& entry, Instant now);

  const size_t entries_max_;
  std::list<Entry> by_age_;  // the newest failure last
  std::unordered_map<LoginKey, Place, LoginKey::Hash> by_key_;
};

}  // namespace tidegate::net
