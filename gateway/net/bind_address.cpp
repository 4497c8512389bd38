#include "gateway/net/bind_address.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <cstring>
#include <memory>

namespace tidegate::net {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

std::optional<address> address_of(const sockaddr& from) {
  if (from.sa_family == AF_INET) {
    return address_v4(ntohl(reinterpret_cast<const sockaddr_in&>(from).sin_addr.s_addr));
  }
  if (from.sa_family != AF_INET6) return {};
  address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(from).sin6_addr, bytes.size());
  return address_v6(bytes);
}

}  // namespace

std::optional<address> bind_address(const std::string& bind) {
  boost::system::error_code error;
  if (address literal = boost::asio::ip::make_address(bind, error); !error) return literal;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  std::optional<address> v6;
  for (const ifaddrs* each = list; each; each = each->ifa_next) {
    if (!each->ifa_addr || bind != each->ifa_name) continue;
    std::optional<address> found = address_of(*each->ifa_addr);
    if (found && found->is_v4()) return found;
    if (found && !v6 && !found->to_v6().is_link_local()) v6 = found;
  }
  return v6;
}

}  // namespace tidegate::net
