// The header that a proxy puts before a client's bytes: the PROXY protocol, versions 1 (a line) and 2 (binary). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate::net {

inline constexpr size_t proxy_header_bytes_max = 2048;  // of version 2 with its additions; a line has at most 107

struct ProxyHeader {
  enum class State : uint8_t { incomplete, complete, malformed };

  State state = State::incomplete;
  size_t size = 0;     // of a complete one
  std::string client;  // "192.168.1.7:49152"; empty: the proxy speaks for itself, or does not say for whom
};

// Of the first bytes of a connection. As long as it is incomplete, all of them belong to it.
[[nodiscard]] ProxyHeader parse_proxy_header(std::string_view bytes);

}  // namespace tidegate::net
