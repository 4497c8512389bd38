#include "gateway/net/tls_psk.h"

#include <charconv>

namespace tidegate::net {
namespace {

bool decode_hex(std::string_view hex, std::string& bytes) {
  if (hex.empty() || hex.size() % 2 != 0 || hex.size() / 2 > psk_bytes_max) return false;
  for (size_t i = 0; i < hex.size(); i += 2) {
    uint8_t byte = 0;
    auto [end, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    if (error != std::errc{} || end != hex.data() + i + 2) return false;
    bytes += static_cast<char>(byte);
  }
  return true;
}

}  // namespace

Result<std::map<std::string, std::string, std::less<>>> parse_psk(std::string_view text) {
  std::map<std::string, std::string, std::less<>> keys;
  for (size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    auto wrong = [&](const char* what) {
      return fail(ErrorCode::invalid, "line " + std::to_string(number) + ": " + what);
    };
    size_t colon = line.rfind(':');
    if (colon == std::string_view::npos) return wrong("expected NAME:KEY with the key in hexadecimal digits");
    std::string_view name = line.substr(0, colon);
    if (name.empty() || name.size() > psk_name_bytes_max) return wrong("expected a name of 1 to 128 bytes");
    std::string key;
    if (!decode_hex(line.substr(colon + 1), key)) return wrong("expected a key of 2 to 512 hexadecimal digits");
    if (!keys.emplace(name, std::move(key)).second) return wrong("the name stands in a line before already");
  }
  if (keys.empty()) return fail(ErrorCode::invalid, "no key in it: expected lines of NAME:KEY");
  return keys;
}

}  // namespace tidegate::net
