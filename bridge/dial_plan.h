// Which address, which of its IP addresses and which protocol version to try next. Pure.
//
// A round goes through the addresses in order, and through the IP addresses of each (at most three). Version
// `automatic` tries 5.0, and 3.1.1 at the same place when 5.0 was refused or the connection was ended without an answer;
// a remote that said "unsupported version" is asked with 3.1.1 from then on.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "bridge/cloud_link.h"
#include "bridge/options.h"

namespace tidegate::bridge {

class DialPlan {
 public:
  DialPlan(std::vector<Address> addresses, ProtocolVersion version)
      : addresses_(std::move(addresses)), version_(version) {}

  void begin_round() {
    address_ = 0;
    enter_address();
  }
  [[nodiscard]] bool over() const { return address_ >= addresses_.size(); }
  // REQUIRES for all below: !over()
  [[nodiscard]] const Address& address() const { return addresses_[address_]; }
  [[nodiscard]] bool needs_lookup() const { return numeric_.empty(); }
  void resolved(std::vector<std::string> numeric) {
    if (numeric.size() > numeric_max) numeric.resize(numeric_max);
    numeric_ = std::move(numeric);
  }
  void lookup_failed() { next_address(); }

  // REQUIRES: !needs_lookup()
  [[nodiscard]] const std::string& numeric() const { return numeric_[place_]; }
  [[nodiscard]] int protocol() const { return protocol_; }
  void connect_failed(const LinkFailure& failure) {
    const bool may_fall_back = version_ == ProtocolVersion::automatic && protocol_ == 5;
    if (may_fall_back && failure.version_refused) only_v311_.insert(address_);
    if (may_fall_back && (failure.version_refused || failure.closed_unanswered)) {
      protocol_ = 4;
    } else if (++place_ >= numeric_.size()) {
      next_address();
    } else {
      protocol_ = first_protocol();
    }
  }

 private:
  static constexpr size_t numeric_max = 3;

  void next_address() {
    ++address_;
    enter_address();
  }
  void enter_address() {
    numeric_.clear();
    place_ = 0;
    protocol_ = first_protocol();
  }
  [[nodiscard]] int first_protocol() const {
    return version_ == ProtocolVersion::v311 || only_v311_.count(address_) ? 4 : 5;
  }

  const std::vector<Address> addresses_;
  const ProtocolVersion version_;
  size_t address_ = SIZE_MAX;
  std::vector<std::string> numeric_;
  size_t place_ = 0;
  int protocol_ = 5;
  std::set<size_t> only_v311_;
};

}  // namespace tidegate::bridge
