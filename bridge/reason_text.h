// The standard's names for the codes a remote answers with (3.1.1, 3.2.2.3; 5.0, 2.4), for a person. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tidegate::bridge {

[[nodiscard]] std::string_view reason_name(int code);            // 5.0, >= 0x80
[[nodiscard]] std::string_view connack_name_v3(int code);        // 3.1.1, 1 to 5
[[nodiscard]] std::string connack_text(int code, int protocol);  // "Not authorized (CONNACK 135)"
[[nodiscard]] std::string reason_text(int code);                 // "Quota exceeded (151)"

}  // namespace tidegate::bridge
