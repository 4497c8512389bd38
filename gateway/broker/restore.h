// Reads sessions, subscriptions, in-flight state, retained messages and wills back from the store at the start
// (invariant 7: any prefix of committed batches gives a valid state, and doing it twice equals once).
#pragma once

#include "gateway/base/result.h"
#include "gateway/broker/state.h"
#include "store/store.h"

namespace tidegate::broker {

struct Restored {
  uint64_t sessions = 0;
  uint64_t session_messages = 0;  // waiting in their queues
  uint64_t retained = 0;
  uint64_t wills = 0;       // of connections that the last stop ended
  uint64_t unreadable = 0;  // records that were skipped
};

// REQUIRES: an empty state whose `now` is set. What has expired meanwhile goes into the first batch.
[[nodiscard]] Result<Restored> restore(State& state, store::Store& store);

// Then, once the bridges' routes are there too. The stop ended every connection: their wills fire, after their delay
// where their session still stands.
void fire_restored_wills(State& state);

}  // namespace tidegate::broker
