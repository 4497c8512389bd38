// All data of the broker, in one place with one writer (invariant 5). The files named after the protocol's verbs work on
// it; Broker is the door.
//
// Thread: the core's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/access/acl.h"
#include "gateway/base/ids.h"
#include "gateway/base/time.h"
#include "gateway/broker/authenticator.h"
#include "gateway/broker/bridge_route.h"
#include "gateway/broker/commit_gate.h"
#include "gateway/broker/counters.h"
#include "gateway/broker/deadlines.h"
#include "gateway/broker/limits.h"
#include "gateway/broker/listener_policy.h"
#include "gateway/broker/output.h"
#include "gateway/broker/retained.h"
#include "gateway/broker/router.h"
#include "gateway/broker/session.h"
#include "gateway/broker/topic_aliases.h"
#include "store/batch.h"

namespace tidegate::broker {

// Whether the store takes more (invariant 8).
enum class StoreState : uint8_t {
  ready,
  busy,      // too much is waiting for the disk: who would add to it waits
  refusing,  // no space or failing: refused aloud
};

// What is put into it: messages, which are refused while there is still room for the rest; and control records, which
// are small and without which there is no service: sessions, wills, subscriptions, receipts.
enum class StoreUse : uint8_t { messages, control };

struct StoreStates {
  StoreState messages = StoreState::ready;
  StoreState control = StoreState::ready;
  [[nodiscard]] StoreState of(StoreUse use) const { return use == StoreUse::messages ? messages : control; }
  friend bool operator==(const StoreStates&, const StoreStates&) = default;
};

// The method that a 5.0 client named in CONNECT.
struct Authentication {
  std::string method;
  std::unique_ptr<AuthExchange> exchange;  // while one is under way
  std::string final_data;                  // of the exchange before CONNACK, which bears it
};

struct Connection {
  // waiting_for_store: its CONNECT is good, and is answered when the store takes it or refuses.
  enum class Stage : uint8_t { awaiting_connect, checking_credentials, authenticating, waiting_for_store, connected };

  ConnId id;
  Stage stage = Stage::awaiting_connect;
  mqtt::Version version = mqtt::Version::v3_1_1;
  bool other_broker = false;        // its bridge: bridge bit of the protocol level
  bool held = false;                // a packet waits for the store; nothing is read
  StoreUse held_for{};              // what that packet would put there
  bool problem_information = true;  // it wants to hear why (5.0, 3.1.2.11.7)
  uint16_t keepalive_seconds = 0;   // 0: never
  uint16_t window = 0;              // unacknowledged messages it takes: ours and its Receive Maximum
  uint16_t unanswered = 0;          // 5.0: its QoS 1 and 2 PUBLISH without PUBACK, PUBCOMP or refusal sent (4.9)
  uint32_t packet_bytes_max = 0;    // its Maximum Packet Size; 0: any
  Instant last_received;
  Instant held_since;
  BatchNumber connack_after{0};     // its CONNACK waits for this batch, and nothing overtakes that
  BatchNumber publish_after{0};     // a CONNACK or SUBACK waits for this batch, and no PUBLISH overtakes it
  BatchNumber queue_after{0};       // a QoS 2 PUBLISH waits for this batch, and no QoS 1 overtakes it
  uint64_t publish_bytes_held = 0;  // of PUBLISH packets that wait for publish_after
  BatchNumber last_held_until{0};   // of the newest acknowledgement in the gate
  Session* session = nullptr;
  const ListenerPolicy* listener = nullptr;
  std::string peer;                             // address and port, for the log
  std::unique_ptr<std::string> identity;        // the user that its certificate or key names, in place of CONNECT's
  std::unique_ptr<std::string> connect_packet;  // until it is accepted or refused
  std::unique_ptr<std::vector<std::string>> topic_aliases;  // of a 5.0 publisher; index is alias - 1
  std::unique_ptr<Authentication> authentication;           // none: no method
  std::unique_ptr<TopicAliases> topic_aliases_out;          // of a 5.0 subscriber that asks for some
};

// What a session that has ended leaves to the groups that it was a member of (shared.h): its queue.
struct Estate {
  Seq next;  // records from here on have not been read
  Seq end;
  BatchNumber read_after;   // nothing is read before this batch is on disk
  bool reading = false;     // a read was asked for and has not been answered
  bool stale_read = false;  // by the session, before it ended
};

struct State {
  State(const Limits& limits_, Output& out_, Events& events_) : limits(limits_), out(out_), events(events_) {}

  Limits limits;
  Output& out;
  Events& events;
  Authenticator* authenticator = nullptr;  // none: no methods
  Now now;
  StoreStates store;

  std::vector<std::unique_ptr<Connection>> connections;                // by slot
  std::unordered_map<std::string, std::unique_ptr<Session>> sessions;  // by client id
  std::unordered_map<QueueId, Session*> sessions_by_queue;
  std::unordered_map<QueueId, Estate> estates;
  std::vector<std::unique_ptr<BridgeEnd>> bridges;
  Router router;
  std::shared_ptr<const access::Acl> acl;  // none: everybody may do everything
  Retained retained;
  CommitGate gate;
  Deadlines deadlines;
  Counters counters;

  store::Batch batch;
  BatchNumber batch_number{1};   // of `batch`
  std::vector<Session*> dirty;   // sessions whose queue marks go into `batch`
  std::vector<QueueId> starved;  // queues whose unread records were not committed yet when they were read
  std::vector<std::pair<std::string, std::unique_ptr<Will>>> restored_wills;  // by client id, until they fire
  uint32_t pending_connects = 0;          // connections whose CONNECT has not come or is not known to be good
  std::vector<ConnId> waiting_for_store;  // connections of that stage, in the order of their CONNECTs
  uint32_t next_queue_id = 1;
  uint64_t next_client_number = 0;  // for assigned client ids
  std::string scratch;              // for one packet at a time
  bool retained_watched = false;    // a deadline is set to look for expired retained messages

  [[nodiscard]] Connection* find(ConnId id);
  [[nodiscard]] Connection* connection_of(const Session& session) { return find(session.conn); }

  // Sends `packet` once `until` is on disk and everything held for this connection earlier has gone. False: it is held.
  bool send_after(Connection& conn, BatchNumber until, std::string_view packet);
  // In the order of acknowledgements, but waiting for nothing of its own.
  void send_in_order(Connection& conn, std::string_view packet) { send_after(conn, BatchNumber{0}, packet); }

  // Everything put into batches up to now.
  [[nodiscard]] BatchNumber newest_change() const {
    return batch.empty() ? BatchNumber{batch_number.value - 1} : batch_number;
  }
  // The session changed in the batch of this turn: acknowledgements to it wait for that.
  void touch(Session& session) { session.changed_in = batch_number; }
  void mark_dirty(Session& session);

  // A queue id never used before. Put into the batch.
  [[nodiscard]] QueueId new_queue_id();
};

}  // namespace tidegate::broker
