// What the publishers and subscribers of one run share: the totals, and what holds publishing back. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/bench/loop.h"
#include "tests/bench/sequence_log.h"
#include "tests/bench/tally.h"

namespace bench {

struct Traffic {
  // Publishing.
  uint64_t sent = 0;
  uint64_t acknowledged = 0;
  uint64_t refused = 0;  // acknowledged with a reason code >= 0x80
  Time start{};          // the first message is due
  Time last_ack{};
  bool publishing = false;  // false ends it: the time is up
  Histogram lateness;       // of this program: from when a paced message was due until it was written
  std::optional<SequenceLog> acked_log;

  // Arriving; `counts.received` is over all subscribers.
  uint64_t copies = 1;  // subscribers that each message goes to
  uint64_t written_off = 0;
  Counts counts;
  Histogram latency;
  Time last_arrival{};
  std::optional<SequenceLog> received_log;

  // Connections.
  uint32_t ready = 0;  // handshake (and subscription) done
  uint32_t connections_lost = 0;
  std::string lost_why;

  // Published, and not known to be everywhere.
  [[nodiscard]] uint64_t in_flight() const {
    uint64_t arrived = counts.received / copies + written_off + refused;
    return sent > arrived ? sent - arrived : 0;
  }
};

}  // namespace bench
