// Names for numbers, so that two of them cannot be swapped in a call.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace tidegate {

template <class Tag, class Int>
struct Id {
  Int value{};
  friend constexpr auto operator<=>(Id, Id) = default;
};

// A connection: a slot of the connection table and the generation of its use, so that a late answer finds nobody.
struct ConnId {
  uint32_t slot = 0;
  uint32_t generation = 0;  // 0: no connection
  friend constexpr auto operator<=>(ConnId, ConnId) = default;
  explicit constexpr operator bool() const { return generation != 0; }
};

using QueueId = Id<struct QueueTag, uint32_t>;      // a queue in the store, never used again once dropped
using Seq = Id<struct SeqTag, uint64_t>;            // place of a record in its queue; the first is 1
using BatchNumber = Id<struct BatchTag, uint64_t>;  // of the broker's batches, counted from 1 at each start
using Ticket = Id<struct TicketTag, uint64_t>;      // of the committer's accepted batches, counted from 1
using BridgeId = Id<struct BridgeTag, uint32_t>;    // 0: no bridge; counted from 1 in the order of the configuration

// In the place of a bridge: a message that is the gateway's own word.
inline constexpr BridgeId gateway_itself{0xFFFFFFFF};

}  // namespace tidegate

template <class Tag, class Int>
struct std::hash<tidegate::Id<Tag, Int>> {
  size_t operator()(tidegate::Id<Tag, Int> id) const noexcept { return std::hash<Int>{}(id.value); }
};
