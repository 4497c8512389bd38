// The small languages inside the strings of a configuration: durations, sizes, percents, addresses, names. Each has a
// reader (total: none for what is not in the language) and, where it is shown, a writer that its reader takes back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "gateway/base/time.h"

namespace tidegate::config {

// "200ms" "30s" "5m" "12h" "7d": a whole number and a unit.
[[nodiscard]] std::optional<Millis> parse_duration(std::string_view text);
[[nodiscard]] std::string duration_text(Millis duration);

// "512B" "64KiB" "10MB": kB MB GB TB = 1000, KiB MiB GiB TiB = 1024. The result is bytes.
[[nodiscard]] std::optional<uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string size_text(uint64_t bytes);

// "80%": 0 to 100.
[[nodiscard]] std::optional<uint8_t> parse_percent(std::string_view text);

// Decimal digits only, no sign.
[[nodiscard]] std::optional<uint64_t> parse_whole(std::string_view text);

// host[:port], [::1]:1883 for IPv6. Port 0 in the result: none was given.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

inline constexpr size_t name_bytes_max = 64;
// [A-Za-z0-9_-]{1,64}
[[nodiscard]] bool is_name(std::string_view text);

[[nodiscard]] bool is_ip_address(std::string_view text);
// An address, alone or with the length of its prefix: "10.1.0.0/16".
[[nodiscard]] bool is_ip_range(std::string_view text);
// "0660": permission bits as in chmod.
[[nodiscard]] std::optional<uint16_t> parse_mode(std::string_view text);
// What a listener may bind: an IP address or the name of a network interface.
[[nodiscard]] bool is_bind(std::string_view text);
// 127.0.0.0/8, ::1 and the interface "lo".
[[nodiscard]] bool is_loopback(std::string_view bind);

}  // namespace tidegate::config
