// A session: what outlives the socket of a client (MQTT 4.1). Plain data; the files named after the protocol's verbs
// work on it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/access/acl.h"
#include "gateway/base/ids.h"
#include "gateway/base/message.h"
#include "gateway/base/time.h"
#include "gateway/mqtt/packet.h"
#include "store/queue.h"

namespace tidegate::broker {

// What a clean session keeps of a message in flight that it got as a member of a group: it goes to another member when
// the session ends. In a session with a queue the record says the same.
struct OfGroup {
  std::shared_ptr<const std::string> filter;
  MessagePtr message;
};

// An outgoing QoS 1 or 2 message that has a packet id.
struct Inflight {
  enum class Phase : uint8_t {
    sent,      // PUBLISH sent, waiting for PUBACK or PUBREC
    released,  // PUBREL sent, waiting for PUBCOMP
  };
  mqtt::PacketId packet_id = 0;
  Qos qos = Qos::at_least_once;
  Phase phase = Phase::sent;
  bool resend = false;  // of an earlier connection, not sent on this one yet
  Seq seq{};            // its record, in a durable session
  uint64_t bytes = 0;   // counted bytes of that record
  std::unique_ptr<OfGroup> of_group = nullptr;
};

// A message that waits for room in the window. Its record, if any, has place `seq`.
struct Waiting {
  MessagePtr message;
  Qos qos = Qos::at_least_once;
  bool retain = false;
  Seq seq{};
  mqtt::PacketId resend_as = 0;  // in flight on an earlier connection under this id; 0: new
  std::string subscription_ids;  // 5.0 properties in wire form; a record has them among its message's properties
  std::shared_ptr<const std::string> group = nullptr;  // as in OfGroup; of a record: none
};

// Outgoing QoS 1 and 2; exists once there was any.
struct Outgoing {
  std::deque<Inflight> inflight;  // in the order of sending, which is that of records
  std::deque<Waiting> waiting;
  uint64_t waiting_bytes = 0;
  uint32_t to_resend = 0;  // entries of `inflight` with `resend`: they take no room in the window yet
  mqtt::PacketId last_packet_id = 0;
  uint32_t free_ids = 0;  // ids after last_packet_id known to be unused
};

// The durable part of a session with a queue in the store.
struct Durable {
  store::QueueAppender appender;
  store::QueueRemover remover;
  Seq next_read;               // records from here on are neither in flight nor waiting in memory
  Seq sent_below{};            // records below have been sent, or may have been before a crash
  BatchNumber appended_in{0};  // newest batch with a record
  BatchNumber removed_in{0};   // newest batch that removes one
  BatchNumber read_after{0};   // nothing is read before this batch is on disk
  Seq read_end{};              // of the read asked for last
  bool reading = false;        // a read was asked for and has not been answered
  bool reading_all = false;    // everything appended was committed when it was asked for
  bool starved = false;        // in State::starved: reads again after the next commit
  bool dirty = false;          // in State::dirty
};

struct Subscription {
  mqtt::SubscribeOptions options;
  uint32_t id = 0;  // 5.0 subscription identifier; 0: none
};

struct Will {
  MessagePtr message;
  uint32_t delay_seconds = 0;
  Instant fires = Instant::never();  // set when its connection ended
};

struct Session {
  std::string client_id;
  ConnId conn;  // none while the client is away
  uint32_t expiry_seconds = 0;
  uint8_t protocol_version = 4;
  bool is_identified = false;          // its client has been here since the start
  Instant expires = Instant::never();  // while the client is away
  uint64_t queued_messages_max = 0;    // limits of the listener that its client came by last
  uint64_t queued_bytes_max = 0;
  BatchNumber changed_in{0};                                    // newest batch with a change of this session
  std::unordered_map<std::string, Subscription> subscriptions;  // by filter
  std::unique_ptr<Outgoing> outgoing;
  std::unique_ptr<std::vector<mqtt::PacketId>> receipts;  // incoming QoS 2 seen, PUBREL not yet; sorted
  std::unique_ptr<Durable> durable;                       // present if it outlives its connection
  std::unique_ptr<Will> will;
  std::unique_ptr<std::string> username;   // of its latest client; none: anonymous
  std::unique_ptr<access::Rights> rights;  // none: everything is allowed
  // Router's scratch: the publish that this session was matched by last, and where in its list.
  uint64_t matched_by = 0;
  uint32_t matched_at = 0;
};

}  // namespace tidegate::broker
