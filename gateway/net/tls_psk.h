// Pre-shared keys: the lines of Mosquitto's psk_file, NAME:HEX. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "gateway/base/result.h"

namespace tidegate::net {

inline constexpr size_t psk_bytes_max = 256;  // OpenSSL's PSK_MAX_PSK_LEN
inline constexpr size_t psk_name_bytes_max = 128;

// Keys by name, as bytes. Empty lines and lines that begin with # are passed over. The error names the line, never a key.
[[nodiscard]] Result<std::map<std::string, std::string, std::less<>>> parse_psk(std::string_view text);

}  // namespace tidegate::net
