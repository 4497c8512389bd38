#include "gateway/net/proxy_header.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace tidegate::net {
namespace {

using State = ProxyHeader::State;

constexpr std::string_view line_begin = "PROXY ";
constexpr size_t line_bytes_max = 107;
constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t fixed_bytes = 16;

ProxyHeader malformed() {
  return {.state = State::malformed, .size = 0, .client = {}};
}

bool begins_alike(std::string_view bytes, std::string_view with) {
  size_t n = std::min(bytes.size(), with.size());
  return bytes.substr(0, n) == with.substr(0, n);
}

std::string with_port(const std::string& address, unsigned port) {
  bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

// Written anew, so that nothing but an address gets into the log.
std::optional<std::string> text_of(int family, const void* bytes) {
  char text[INET6_ADDRSTRLEN] = {};
  if (::inet_ntop(family, bytes, text, sizeof text) == nullptr) return {};
  return text;
}

std::optional<std::string> address_of(int family, std::string_view written) {
  std::array<uint8_t, 16> bytes{};
  if (::inet_pton(family, std::string(written).c_str(), bytes.data()) != 1) return {};
  return text_of(family, bytes.data());
}

std::optional<unsigned> port_of(std::string_view written) {
  unsigned port = 0;
  auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), port);
  bool leading_zero = written.size() > 1 && written.front() == '0';
  if (error != std::errc{} || end != written.data() + written.size() || port > 65535 || leading_zero) return {};
  return port;
}

// "PROXY TCP4 192.168.1.7 10.0.0.1 49152 1883\r\n"
ProxyHeader parse_line(std::string_view bytes) {
  size_t end = bytes.substr(0, line_bytes_max).find("\r\n");
  if (end == std::string_view::npos) {
    return bytes.size() >= line_bytes_max ? malformed() : ProxyHeader{};
  }
  ProxyHeader header{.state = State::complete, .size = end + 2, .client = {}};
  std::string_view line = bytes.substr(line_begin.size(), end - line_begin.size());
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return header;
  std::array<std::string_view, 5> words;
  for (size_t i = 0; i < words.size(); ++i) {
    size_t space = i + 1 < words.size() ? line.find(' ') : line.size();
    if (space == std::string_view::npos) return malformed();
    words[i] = line.substr(0, space);
    line.remove_prefix(std::min(space + 1, line.size()));
  }
  if (words[0] != "TCP4" && words[0] != "TCP6") return malformed();
  int family = words[0] == "TCP4" ? AF_INET : AF_INET6;
  auto client = address_of(family, words[1]), own = address_of(family, words[2]);
  auto client_port = port_of(words[3]), own_port = port_of(words[4]);
  if (!client || !own || !client_port || !own_port) return malformed();
  header.client = with_port(*client, *client_port);
  return header;
}

unsigned big_endian(std::string_view bytes, size_t at) {
  return static_cast<unsigned>(static_cast<uint8_t>(bytes[at]) << 8 | static_cast<uint8_t>(bytes[at + 1]));
}

// signature, version and command, family and protocol, size of the rest (2 bytes); addresses; additions
ProxyHeader parse_binary(std::string_view bytes) {
  if (bytes.size() < fixed_bytes) return {};
  auto version_and_command = static_cast<uint8_t>(bytes[12]), family_and_protocol = static_cast<uint8_t>(bytes[13]);
  size_t size = fixed_bytes + big_endian(bytes, 14);
  if (version_and_command >> 4 != 2 || (version_and_command & 15) > 1 || size > proxy_header_bytes_max) {
    return malformed();
  }
  if (bytes.size() < size) return {};
  ProxyHeader header{.state = State::complete, .size = size, .client = {}};
  bool of_itself = (version_and_command & 15) == 0;
  if (of_itself) return header;
  switch (family_and_protocol >> 4) {
    case 1:
      if (size < fixed_bytes + 12) return malformed();
      header.client = with_port(*text_of(AF_INET, bytes.data() + fixed_bytes), big_endian(bytes, fixed_bytes + 8));
      return header;
    case 2:
      if (size < fixed_bytes + 36) return malformed();
      header.client = with_port(*text_of(AF_INET6, bytes.data() + fixed_bytes), big_endian(bytes, fixed_bytes + 32));
      return header;
    case 0:
    case 3: return header;  // not said, or a Unix socket
    default: return malformed();
  }
}

}  // namespace

ProxyHeader parse_proxy_header(std::string_view bytes) {
  if (begins_alike(bytes, line_begin)) return bytes.size() < line_begin.size() ? ProxyHeader{} : parse_line(bytes);
  if (begins_alike(bytes, signature)) return bytes.size() < signature.size() ? ProxyHeader{} : parse_binary(bytes);
  return malformed();
}

}  // namespace tidegate::net
