// Words of the broker's interface.
#pragma once

#include <cstdint>

namespace tidegate::broker {

// Whether a packet was taken. not_now: nothing has happened; feed the same packet again when Output::resume is called,
// or when bytes of the connection have been written.
enum class Taken : uint8_t { done, not_now };

}  // namespace tidegate::broker
