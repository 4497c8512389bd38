// What a bridge says about itself: plain data, taken at one moment.
//
// Status never flatters (ARCHITECTURE.md, invariant 11): `delivered` is acknowledged by the remote; waiting is not lost.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/time.h"

namespace tidegate::bridge {

enum class LinkState : uint8_t {
  stopped,     // start type off, or not started yet, or stop() was called
  connecting,  // name lookup, TCP, TLS, CONNECT under way
  connected,
  waiting,  // not connected, the next try has a time: the network or the remote does not answer
  refused,  // as waiting, but the remote answered and said no: trying again hardly helps until something is changed
};
[[nodiscard]] std::string_view word(LinkState state);

// Where the last trouble arose; for {step} of uplink_refused and the cause of uplink_down.
enum class Step : uint8_t { none, name_lookup, tcp, tls, connack, subscribe, publish, keepalive, stalled, link, store };
[[nodiscard]] std::string_view word(Step step);

struct LastError {
  Step step = Step::none;  // none: there was no error yet
  int code = 0;            // CONNACK or reason code of the remote, else Paho's rc; 0: none
  std::string text;        // quoted from the place that failed: "Not authorized (CONNACK 135)"
  WallTime at{};
};

struct DropCounts {  // since this Bridge object began
  uint64_t queue_full = 0;
  uint64_t expired = 0;         // message expiry (5.0) passed while waiting
  uint64_t rejected = 0;        // the remote answered with a reason code >= 0x80
  uint64_t too_large = 0;       // longer than the remote's Maximum Packet Size
  uint64_t unreadable = 0;      // records that the store could not read
  uint64_t qos0_link_down = 0;  // QoS 0 while not connected
  uint64_t qos0_lane_full = 0;
  uint64_t echoes = 0;          // own messages that came back over a `both` rule (3.1.1); not a loss
  uint64_t no_local_topic = 0;  // came from the remote, no rule maps them
};

struct BridgeStatus {
  std::string name;
  LinkState state = LinkState::stopped;
  WallTime since{};  // of `state`; changes between connecting and waiting do not move it (see down_since)
  WallTime down_since = WallTime::never();  // end of the last connection, or the start; never: connected
  WallTime next_try = WallTime::never();
  uint64_t tries = 0;   // since the last connection
  std::string address;  // host:port now used or last tried
  int protocol = 0;     // 5 or 4 while connected, else 0
  LastError last_error;

  uint64_t queue_messages = 0;
  uint64_t queue_bytes = 0;
  WallTime oldest = WallTime::never();  // when the oldest waiting message was taken; never: none, or not read yet
  bool queue_alarm = false;             // above alarm_percent of a limit
  uint64_t in_flight = 0;               // sent and not acknowledged
  WallTime last_acknowledged = WallTime::never();
  bool stalled = false;  // in flight, and nothing acknowledged for half of stall_timeout: never "flowing"

  // Since this Bridge object began.
  uint64_t delivered = 0;  // QoS 1 acknowledged by the remote
  uint64_t delivered_bytes = 0;
  uint64_t sent_qos0 = 0;
  uint64_t received = 0;
  uint64_t possible_duplicates = 0;  // sent again because their acknowledgement was lost with the link
  uint64_t connects = 0;
  DropCounts dropped;
  WallTime counting_since{};
};

}  // namespace tidegate::bridge
