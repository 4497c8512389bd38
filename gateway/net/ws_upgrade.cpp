#include "gateway/net/ws_upgrade.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <optional>

namespace tidegate::net {
namespace {

namespace http = boost::beast::http;
using Request = http::request<http::empty_body>;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

WsAnswer refuse(std::string_view status, std::string_view sentence, std::string_view header = "") {
  WsAnswer answer;
  answer.why = fmt::format("WebSocket: {}", sentence);
  std::string body = fmt::format("This is an MQTT listener for WebSocket: {}.\n", sentence);
  answer.response = fmt::format(
      "HTTP/1.1 {}\r\n{}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      status, header, body.size(), body);
  return answer;
}

// [RFC 6455, 4.2.2]: SHA-1 of the key and a fixed text, in base64.
std::string accept_key(std::string_view key) {
  std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  std::array<unsigned char, 64> base64{};
  int n = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
  return {reinterpret_cast<char*>(base64.data()), static_cast<size_t>(n)};
}

// Base64 of 16 bytes.
bool is_key(std::string_view key) {
  constexpr size_t key_size = 24;
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return key.size() == key_size && key.ends_with("==") &&
         key.substr(0, key_size - 2).find_first_not_of(alphabet) == std::string_view::npos;
}

// The subprotocol to answer: the first of the client's that is MQTT.
std::optional<std::string_view> subprotocol_of(const Request& request) {
  for (auto [at, end] = request.equal_range(http::field::sec_websocket_protocol); at != end; ++at) {
    for (boost::beast::string_view each : http::token_list(at->value())) {
      if (view(each) == "mqtt") return "mqtt";
      if (view(each) == "mqttv3.1") return "mqttv3.1";
    }
  }
  return {};
}

bool has_path(const WsOptions& options, std::string_view target) {
  std::string_view path = target.substr(0, target.find('?'));
  return std::any_of(options.http_paths.begin(), options.http_paths.end(),
                     [&](const std::string& each) { return each == "*" || each == path; });
}

// Devices have no origin, browsers always: the list is about whose pages may use a visitor's browser.
bool has_origin(const WsOptions& options, const Request& request) {
  std::string_view origin = view(request[http::field::origin]);
  return options.origins.empty() || origin.empty() ||
         std::find(options.origins.begin(), options.origins.end(), origin) != options.origins.end();
}

bool asks_for_websocket(const Request& request) {
  return request.method() == http::verb::get && request.version() >= 11 &&
         http::token_list(request[http::field::connection]).exists("upgrade") &&
         http::token_list(request[http::field::upgrade]).exists("websocket");
}

}  // namespace

WsAnswer answer_upgrade(std::string_view head, const WsOptions& options) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(ws_head_bytes_max);
  boost::system::error_code error;
  parser.put(boost::asio::buffer(head.data(), head.size()), error);
  if (error || !parser.is_header_done()) return refuse("400 Bad Request", "the request is no HTTP");
  const Request& request = parser.get();
  if (request.version() >= 11 && request.count(http::field::host) != 1) {  // RFC 9112, 3.2
    return refuse("400 Bad Request", "the request has no Host, or several");
  }
  if (!asks_for_websocket(request)) {
    return refuse("426 Upgrade Required", "connect with a client for MQTT over WebSocket, this request is none",
                  "Upgrade: websocket\r\n");
  }
  if (view(request[http::field::sec_websocket_version]) != "13") {
    return refuse("426 Upgrade Required", "its version is 13", "Sec-WebSocket-Version: 13\r\n");
  }
  std::string_view key = view(request[http::field::sec_websocket_key]);
  if (!is_key(key)) return refuse("400 Bad Request", "the request has no valid Sec-WebSocket-Key");
  if (!has_path(options, view(request.target()))) {
    return refuse("404 Not Found", "it is not at this path, see http_paths");
  }
  if (!has_origin(options, request)) {
    return refuse("403 Forbidden", "pages of this origin may not use it, see origins");
  }
  auto subprotocol = subprotocol_of(request);
  if (!subprotocol) return refuse("400 Bad Request", "the request does not ask for the subprotocol mqtt");
  WsAnswer answer;
  answer.accepted = true;
  answer.response = fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n"
      "Sec-WebSocket-Protocol: {}\r\n\r\n",
      accept_key(key), *subprotocol);
  return answer;
}

WsAnswer answer_too_large() {
  return refuse("431 Request Header Fields Too Large", "the request's head is above 8 KiB");
}

}  // namespace tidegate::net
