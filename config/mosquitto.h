// For those who come from Mosquitto: its spelling of a key or a value, answered with ours.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/node.h"

namespace tidegate::config {

// Of an unknown key in the section `where`: a clause such as `Mosquitto's spelling; write "keepalive": "60s"`. Never
// repeats the value of a password.
[[nodiscard]] std::optional<std::string> mosquitto_key_hint(std::string_view where, const Member& member);

// Of a plain value where the object `where` is expected: `{ "base": "5s", "cap": "30s" }` for "5 30".
[[nodiscard]] std::optional<std::string> mosquitto_value_hint(std::string_view where, const Node& value);

}  // namespace tidegate::config
