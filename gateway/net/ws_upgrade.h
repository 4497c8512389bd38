// The request by which HTTP becomes WebSocket (RFC 6455, 4), and its answer. Text in, text out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidegate::net {

inline constexpr size_t ws_head_bytes_max = 8192;

struct WsOptions {
  std::vector<std::string> http_paths;  // without a query; "*": any
  std::vector<std::string> origins;     // of the pages whose browsers may connect; none: any

  friend bool operator==(const WsOptions&, const WsOptions&) = default;
};

struct WsAnswer {
  bool accepted = false;
  std::string response;  // to be sent either way
  std::string why;       // it was refused, for the log
};

// `head`: all of the request up to and with the empty line.
[[nodiscard]] WsAnswer answer_upgrade(std::string_view head, const WsOptions& options);

// What a request gets whose head is larger than ws_head_bytes_max.
[[nodiscard]] WsAnswer answer_too_large();

}  // namespace tidegate::net
