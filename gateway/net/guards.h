// Who may connect, from where, how often and how many at a time; and how long a log-in waits after failed ones.
//
// It decides and counts; listeners and the core loop ask it. No sockets, no clock. Thread: the core's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/net/address_range.h"
#include "gateway/net/failed_logins.h"
#include "gateway/net/peer_key.h"
#include "gateway/net/token_bucket.h"

namespace tidegate::net {

// Of one listener.
struct Admission {
  std::vector<AddressRange> allow;  // empty: everybody
  std::vector<AddressRange> deny;   // beats allow
  uint32_t connections_per_address_max = UINT32_MAX;
  uint32_t connect_rate = UINT32_MAX;  // a second
  uint32_t connect_burst = 100;
};

// Of all of them together.
struct GuardLimits {
  uint32_t connect_rate = UINT32_MAX;
  uint32_t connect_burst = 100;
  Millis login_delay_max{10'000};    // 0: log-ins never wait
  uint32_t logins_waiting_max = 50;  // beyond it a log-in that would wait is refused
};

struct GuardCounts {
  uint64_t not_allowed = 0;  // by allow and deny
  uint64_t too_many = 0;     // of one address
  uint64_t too_often = 0;    // connect_rate
  uint64_t gave_way = 0;     // silent, closed for a newcomer
  uint64_t logins_failed = 0;
  uint64_t logins_delayed = 0;
  uint64_t logins_refused = 0;  // too many waited
};

class Guards {
 public:
  Guards() = default;
  void set_limits(const GuardLimits& limits, Instant now);

  // Each gives words for the log if it refuses, and counts that.
  [[nodiscard]] std::optional<std::string_view> refuses_one_more(TokenBucket& of_listener, Instant now);
  [[nodiscard]] std::optional<std::string_view> refuses(const Admission& admission, std::string_view peer);

  // A count for each address costs memory: `wanted` while a listener limits them. `open`: whose connections are there.
  void count_addresses(bool wanted, std::span<const PeerKey> open);
  void count_gave_way() { ++counts_.gave_way; }
  void opened(const PeerKey& from);
  void closed(const PeerKey& from);

  // How long the log-in waits: for failures of that user name from that address, so that a neighbour behind the same NAT
  // comes in; or of the address, if many names failed from there. Nothing: too many wait already, and it is refused
  // unchecked.
  struct LoginWait {
    Millis delay;
    LoginKey counted;
  };
  [[nodiscard]] std::optional<LoginWait> login_delay(const PeerKey& from, std::string_view user, Instant now);
  void login_waited(const LoginKey& counted);  // once for each delay above 0
  // True: worth a line in the log.
  [[nodiscard]] bool login_failed(const PeerKey& from, std::string_view user, Instant now);
  // Of that name, or how many names, whichever is more.
  [[nodiscard]] uint32_t failures(const PeerKey& from, std::string_view user, Instant now) const;

  [[nodiscard]] const GuardCounts& counts() const { return counts_; }

 private:
  static constexpr size_t failed_logins_max = 10'000;
  static constexpr uint32_t names_free = 10;  // may fail from one address before all of its log-ins wait
  static constexpr uint32_t waiting_each_max = 2;

  GuardLimits limits_;
  GuardCounts counts_;
  TokenBucket of_all_;
  bool counts_addresses_ = true;
  std::unordered_map<PeerKey, uint32_t> connections_;
  FailedLogins failed_{failed_logins_max};
  std::unordered_map<LoginKey, uint32_t, LoginKey::Hash> waiting_;
  uint32_t waiting_of_all_ = 0;
};

}  // namespace tidegate::net
