// A bridge's status as the JSON of its status topic (words: docs of the status topic in gateway/README.md) and as its
// part of the $SYS tree.
#pragma once

#include <string>
#include <string_view>

#include "bridge/status.h"
#include "gateway/base/time.h"
#include "gateway/status/sys_tree.h"

namespace tidegate {

// The one word that says how the bridge is; the same word in every place that shows it.
[[nodiscard]] std::string_view condition_of(const bridge::BridgeStatus& status);

// `now` turns times into ages.
[[nodiscard]] std::string status_json(const bridge::BridgeStatus& status, WallTime now);

[[nodiscard]] status::BridgeFacts facts_of(const bridge::BridgeStatus& status, WallTime now);

}  // namespace tidegate
