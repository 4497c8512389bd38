// What the broker holds at one moment, added up when somebody asks: the hot path keeps no such sums.
#pragma once

#include <cstdint>

namespace tidegate::broker {

struct State;

struct Holdings {
  uint64_t inflight = 0;         // QoS 1 and 2 messages sent to clients and not acknowledged
  uint64_t queued_messages = 0;  // waiting for sessions, on disk or in memory, what is in flight of them included
  uint64_t queued_bytes = 0;     // as they count for limits
};

// Walks all sessions.
[[nodiscard]] Holdings holdings(const State& state);

}  // namespace tidegate::broker
