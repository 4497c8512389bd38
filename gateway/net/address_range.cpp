#include "gateway/net/address_range.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

namespace tidegate::net {

std::optional<AddressRange> AddressRange::parse(const std::string& text) {
  AddressRange range;
  size_t slash = text.find('/');
  std::string address = text.substr(0, slash);
  range.family_ = address.find(':') != std::string::npos ? AF_INET6 : AF_INET;
  unsigned bits_max = range.family_ == AF_INET6 ? 128 : 32;
  if (::inet_pton(range.family_, address.c_str(), range.bytes_.data()) != 1) return {};
  range.prefix_bits_ = bits_max;
  if (slash == std::string::npos) return range;
  const char* end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data() + slash + 1, end, range.prefix_bits_);
  if (error != std::errc{} || at != end || range.prefix_bits_ > bits_max) return {};
  return range;
}

bool AddressRange::contains(const sockaddr_storage& address) const {
  if (address.ss_family != family_) return false;
  std::array<uint8_t, 16> other{};
  if (family_ == AF_INET) {
    std::memcpy(other.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
  } else {
    std::memcpy(other.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
  }
  size_t whole = prefix_bits_ / 8;
  if (std::memcmp(other.data(), bytes_.data(), whole) != 0) return false;
  if (prefix_bits_ % 8 == 0) return true;
  auto mask = static_cast<uint8_t>(0xFF << (8 - prefix_bits_ % 8));
  return (other[whole] & mask) == (bytes_[whole] & mask);
}

}  // namespace tidegate::net
