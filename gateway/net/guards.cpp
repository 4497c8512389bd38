#include "gateway/net/guards.h"

#include <algorithm>

namespace tidegate::net {
namespace {

bool is_in(const std::vector<AddressRange>& ranges, const sockaddr_storage& address) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const AddressRange& range) { return range.contains(address); });
}

template <class Counts, class Key>
void take_one(Counts& counts, const Key& of) {
  auto found = counts.find(of);
  if (found != counts.end() && --found->second == 0) counts.erase(found);
}

}  // namespace

void Guards::set_limits(const GuardLimits& limits, Instant now) {
  limits_ = limits;
  of_all_.set(limits.connect_rate, limits.connect_burst, now);
}

std::optional<std::string_view> Guards::refuses_one_more(TokenBucket& of_listener, Instant now) {
  if (of_listener.take(now) && of_all_.take(now)) return {};
  ++counts_.too_often;
  return "more connections a second than connect_rate";
}

std::optional<std::string_view> Guards::refuses(const Admission& admission, std::string_view peer) {
  auto address = parse_peer(peer);
  if (!address) return {};  // of a Unix socket: its mode decides
  if (is_in(admission.deny, *address) || (!admission.allow.empty() && !is_in(admission.allow, *address))) {
    ++counts_.not_allowed;
    return "its address is not allowed here";
  }
  auto now_open = connections_.find(PeerKey::of(*address));
  if (now_open != connections_.end() && now_open->second >= admission.connections_per_address_max) {
    ++counts_.too_many;
    return "its address has max_connections_per_address";
  }
  return {};
}

void Guards::count_addresses(bool wanted, std::span<const PeerKey> open) {
  if (wanted == counts_addresses_) return;
  counts_addresses_ = wanted;
  connections_ = {};
  for (const PeerKey& from : open) opened(from);
}

void Guards::opened(const PeerKey& from) {
  if (from && counts_addresses_) ++connections_[from];
}

void Guards::closed(const PeerKey& from) {
  if (from) take_one(connections_, from);
}

std::optional<Guards::LoginWait> Guards::login_delay(const PeerKey& from, std::string_view user, Instant now) {
  const LoginKey of_name(from, user), of_all(from);
  Millis names_delay = failed_.delay(of_name, limits_.login_delay_max, now);
  Millis alls_delay = failed_.delay(of_all, limits_.login_delay_max, now, names_free);
  LoginWait wait{std::max(names_delay, alls_delay), alls_delay > Millis{0} ? of_all : of_name};
  if (wait.delay == Millis{0}) return wait;
  auto found = waiting_.find(wait.counted);
  if (waiting_of_all_ >= limits_.logins_waiting_max || (found != waiting_.end() && found->second >= waiting_each_max)) {
    ++counts_.logins_refused;
    return {};
  }
  ++counts_.logins_delayed;
  ++waiting_[wait.counted];
  ++waiting_of_all_;
  return wait;
}

void Guards::login_waited(const LoginKey& counted) {
  take_one(waiting_, counted);
  --waiting_of_all_;
}

bool Guards::login_failed(const PeerKey& from, std::string_view user, Instant now) {
  ++counts_.logins_failed;
  const LoginKey of_name(from, user);
  bool another_name = failed_.failures(of_name, now) == 0;
  bool tell = failed_.failed(of_name, now);
  if (another_name) tell |= failed_.failed(from, now, names_free);
  return tell && limits_.login_delay_max > Millis{0};
}

uint32_t Guards::failures(const PeerKey& from, std::string_view user, Instant now) const {
  return std::max(failed_.failures({from, user}, now), failed_.failures(from, now));
}

}  // namespace tidegate::net
