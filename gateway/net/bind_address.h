// The address that a listener's `bind` means now: itself, or what the interface of that name has.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string>

namespace tidegate::net {

// An interface has its first IPv4 address, without one its first IPv6 address that is not link-local. Nothing: no such
// interface, or it has no address yet.
[[nodiscard]] std::optional<boost::asio::ip::address> bind_address(const std::string& bind);

}  // namespace tidegate::net
