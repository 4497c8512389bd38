// What stands in the store at the end: the bridge's queue has what it is owed, in order, and nothing else is left over.
#pragma once

#include <memory>

#include "gateway/broker/bridge_route.h"
#include "store/memory_store.h"
#include "tests/sim/world.h"

namespace tidegate::sim {

// A bridge that sends s/a/# up and never gets through, as the store knows it.
[[nodiscard]] std::unique_ptr<broker::BridgeEnd> bridge_of(store::MemoryStore& store);
// Nothing acknowledged is missing, and the messages of a publisher stand per topic in the order of their first takes.
void check_bridge_queue(World& world);
// All is delivered and acknowledged: nothing of it stays on disk, and the books of the queues are even.
void check_store_is_empty(World& world);

}  // namespace tidegate::sim
