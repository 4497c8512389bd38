// Base64 with padding (RFC 4648, 4), as hashes and SCRAM have it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidegate {

[[nodiscard]] std::string to_base64(std::string_view data);
// Nothing: empty, or not the one form that to_base64 gives.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

}  // namespace tidegate
