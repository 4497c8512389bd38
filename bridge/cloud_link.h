// The port to the remote: one connection at a time. Paho stands behind it in paho_link.cpp; a fake in tests.
//
// Thread: every CloudLink call from the bridge's thread. LinkEvents are called from threads of the link, `message`
// excepted they only hand over. After `close` or `disconnect` has returned, no event of that connection comes any more.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "bridge/options.h"
#include "bridge/status.h"
#include "bridge/topic_map.h"
#include "gateway/base/message.h"
#include "gateway/base/result.h"

namespace tidegate::bridge {

class Exchanges;

struct ConnectRequest {
  const Options* options = nullptr;  // outlives the connection
  // QoS 2 is possible: what is under way, and the records of the out queue. Outlives the connection. None: QoS 0 and 1.
  Exchanges* exchanges = nullptr;
  std::function<MessagePtr(Seq)> record;
  bool clean_start = false;  // whatever `options` says: what the remote's session knows is not known here
  Address address;
  std::string numeric;  // the IP address that `address.host` stands for in this try
  int protocol = 5;     // 5 or 4
  uint32_t window = 100;
};

// What the CONNACK granted.
struct Granted {
  bool session_present = false;
  uint32_t receive_maximum = 65535;
  Qos maximum_qos = Qos::exactly_once;
  bool retain_available = true;
  uint64_t max_packet_size = UINT64_MAX;
};

struct LinkFailure {
  Step step = Step::link;
  int code = 0;  // as LastError::code
  std::string text;
  bool refused = false;            // the remote answered and said no
  bool version_refused = false;    // ... because of the protocol version
  bool closed_unanswered = false;  // the connection stood, but the remote ended it without CONNACK
};

using LinkToken = uint64_t;

class LinkEvents {
 public:
  virtual ~LinkEvents() = default;
  virtual void connected(const Granted& granted) = 0;
  virtual void connect_failed(LinkFailure failure) = 0;
  virtual void lost(LinkFailure failure) = 0;
  // QoS 1, 2: the remote has it. QoS 0: it was written. QoS 2 may be told twice.
  virtual void acknowledged(LinkToken token) = 0;
  // `code`: the remote's reason code (>= 0x80), else a negative one of the link, which then also loses the connection.
  virtual void rejected(LinkToken token, int code, std::string text) = 0;
  // One code for each filter of the SUBSCRIBE: 0..2 granted, >= 0x80 refused.
  virtual void subscribed(std::vector<int> codes) = 0;
  // `remote` has the remote topic. May wait for the disk. True: it may be acknowledged. False: it must not be, and the
  // link ends the connection instead. `packet_id`: of QoS 2 where there are `exchanges`, else 0.
  [[nodiscard]] virtual bool message(Message remote, uint16_t packet_id) = 0;
};

class CloudLink {
 public:
  virtual ~CloudLink() = default;  // close()
  // Begins to connect; the outcome comes as one event. Any former connection is closed first.
  virtual Status connect(const ConnectRequest& request) = 0;
  // REQUIRES: connected. Errors: no_space (too much is unsent: again in a moment), not_available (lost).
  virtual Status publish(LinkToken token, MessagePtr message, Qos qos, bool retain, Seconds expiry) = 0;
  virtual Status subscribe(std::span<const RemoteFilter> filters) = 0;
  virtual void disconnect(Millis limit) = 0;  // orderly, with DISCONNECT; waits up to `limit`
  virtual void close() = 0;                   // at once
};

// Seconds::max(): no message expiry.
inline constexpr Seconds no_expiry = Seconds::max();

}  // namespace tidegate::bridge
