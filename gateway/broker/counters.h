// What happened, counted since the start. Nothing is dropped uncounted (invariant 4).
#pragma once

#include <cstdint>

namespace tidegate::broker {

struct Counters {
  uint64_t packets_received = 0;
  uint64_t packets_sent = 0;       // handed to connections, on their way or waiting for the disk
  uint64_t connects_received = 0;  // good or not
  uint64_t publishes_received = 0;
  uint64_t publishes_sent = 0;
  uint64_t publish_bytes_received = 0;  // payloads
  uint64_t publish_bytes_sent = 0;
  uint64_t dropped_queue_full = 0;       // QoS 1 and 2 for a session whose queue is full
  uint64_t dropped_slow_connection = 0;  // QoS 0 for a connection that does not take its bytes
  uint64_t dropped_expired = 0;
  uint64_t dropped_not_allowed = 0;    // by a topic rule: published, in a will, or to be delivered
  uint64_t dropped_too_large = 0;      // above a client's Maximum Packet Size
  uint64_t dropped_retained_full = 0;  // delivered, but not retained
  uint64_t dropped_bridge_topic = 0;   // a bridge's rule had no remote topic for it
  uint64_t refused_store = 0;          // publishes, CONNECTs and filters refused as the store takes none
  uint64_t connections_now = 0;        // with an accepted CONNECT
  uint64_t connections_max = 0;        // the most at one time
  uint64_t sessions_expired = 0;
};

}  // namespace tidegate::broker
