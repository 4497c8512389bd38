// Why a TCP connection did not come about. Paho does not tell; asking the kernel once more does.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/base/time.h"

namespace tidegate::bridge {

// Connects and closes again. Empty: it worked this time. Waits up to `limit`.
[[nodiscard]] std::string tcp_failure_of(const std::string& numeric, uint16_t port, Millis limit);

}  // namespace tidegate::bridge
