// What the broker holds at most. Each has a key in the configuration (limits, section by section in config/REFERENCE.md)
// and a stated behaviour when reached.
#pragma once

#include <cstdint>

#include "gateway/base/time.h"

namespace tidegate::broker {

struct Limits {
  uint32_t packet_bytes_max = 1u << 20;    // larger: connection closed, 5.0: 0x95
  uint32_t inflight_messages_max = 100;    // unacknowledged to one client; the rest waits in its queue
  uint64_t queued_messages_max = 100'000;  // waiting for one session; then its newest are dropped and counted
  uint64_t queued_bytes_max = 16u << 20;
  uint64_t output_bytes_max = 16u << 20;     // waiting for one connection; then QoS 0 to it is dropped, counted
  uint32_t subscriptions_max = 10'000;       // per session; then SUBACK 0x80 / 0x97
  uint32_t topic_levels_max = 200;           // of topics and filters; then refused
  uint64_t retained_messages_max = 100'000;  // then new topics are not retained, counted; 5.0, QoS > 0: 0x97 instead
  uint64_t retained_bytes_max = 64u << 20;   // also if a message grows: then it is delivered, and none is retained
  uint32_t sessions_max = 100'000;           // connected or not; then CONNECT is refused: 3 / 0x97
  uint16_t topic_aliases_max = 10;           // of one 5.0 publisher
  uint16_t topic_aliases_out_max = 10;       // to one 5.0 subscriber, if it asks for as many
  uint16_t receive_max = 1000;               // QoS 1 and 2 of a 5.0 publisher not answered yet; then it waits, or 0x93
  Seconds keepalive_max{65535};              // more, or none: watched by this one, 5.0 is told so
  Seconds session_expiry_max{0xFFFFFFFF};    // longer, or a 3.1.1 session without clean: this
  Seconds connect_timeout{10};               // from the connection to its CONNECT
  Seconds refuse_after{30};  // a durable publish before 5.0 held while the store takes none; then closed
};

}  // namespace tidegate::broker
