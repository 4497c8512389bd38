// The broker: protocol, sessions, routing and promises, without a socket, a clock or a disk in it.
//
// In: packets, ends of connections, time, commits. Out: bytes in the connections' buffers, one batch per turn.
//   1. Every turn begins with `begin_turn(now)`, then any number of calls below.
//   2. It ends with `seal()`: if that gives a number, batch() is handed to the committer, and `committed` is called with
//      that number once it is on disk. Only then do the acknowledgements that depend on it go out.
// Invariants: 1 (no acknowledgement before its promise), 3 (order), 5 (one writer, no clock), see ARCHITECTURE.md.
// Thread: the core's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/broker/authorize.h"
#include "gateway/broker/bridge_routes.h"
#include "gateway/broker/broker_types.h"
#include "gateway/broker/holdings.h"
#include "gateway/broker/outgoing.h"
#include "gateway/broker/restore.h"
#include "gateway/broker/state.h"
#include "gateway/mqtt/framer.h"

namespace tidegate::broker {

class Broker {
 public:
  Broker(const Limits& limits, Output& out, Events& events) : state_(limits, out, events) {}

  [[nodiscard]] Result<Restored> restore(store::Store& store) { return broker::restore(state_, store); }

  void fire_restored_wills() { broker::fire_restored_wills(state_); }

  void begin_turn(Now now) { state_.now = now; }

  // A socket was accepted. `listener` outlives the connection.
  void opened(ConnId conn, const ListenerPolicy& listener, std::string peer);
  // What the transport learnt of the client before its first packet: its address where a proxy told it, and the user that
  // its certificate or key names, whose CONNECT then needs no password. Empty: nothing.
  void introduce(ConnId conn, std::string peer, std::string username);
  // The transport does not let it in: told as a refusal, and Output::close.
  void refuse(ConnId conn, std::string_view why);
  // A complete frame, or one that the framer found malformed or too large.
  [[nodiscard]] Taken packet(ConnId conn, const mqtt::Frame& frame);
  // What has come of a packet whose rest is awaited, one byte at least.
  void begun(ConnId conn, std::string_view bytes);
  // The peer closed, or the socket failed. Not called after Output::close.
  void closed(ConnId conn, std::string_view why);
  void credentials_checked(ConnId conn, bool right);
  void may_authenticate(ConnId conn);   // answer to Output::ask_to_authenticate
  void too_busy_to_check(ConnId conn);  // to either of them: whether it may come in remains open
  void records_read(QueueId queue, Seq from, const std::vector<store::QueueRecord>& records);

  // Output::read_queue could not be done now; it is asked for again after the next commit.
  void read_failed(QueueId queue);

  // A message that came down over a bridge. With an inbox place, its record there goes in the batch that carries the
  // message on, so that it is in exactly one place (invariant 2).
  void publish_from_bridge(const Message& message, store::QueueRemover* inbox, Seq seq);
  // The gateway's own word: retained in memory alone or not at all, never stored, never bridged.
  void publish_own(std::string_view topic, std::string_view payload, bool retain = true);

  // The id of the queue of that name; made in this turn's batch if the store has none. `store`: as restored.
  [[nodiscard]] Result<QueueId> named_queue(store::Store& store, std::string_view name);
  void attach(std::unique_ptr<BridgeEnd> bridge) { bridge_routes::attach(state_, std::move(bridge)); }
  // Other rules for the same queue.
  void replace_routes(BridgeId bridge, std::vector<BridgeRoute> routes) {
    bridge_routes::replace(state_, bridge, std::move(routes));
  }

  void set_store_state(StoreStates store);
  // Outlives the broker.
  void set_authenticator(Authenticator* authenticator) { state_.authenticator = authenticator; }
  void set_limits(const Limits& limits) { state_.limits = limits; }
  void set_acl(std::shared_ptr<const access::Acl> acl) { authorize::rules_changed(state_, std::move(acl)); }

  [[nodiscard]] Instant next_deadline() const { return state_.deadlines.next(); }
  // Everything due at the turn's time.
  void run_deadlines();

  // Ends the turn's batch. Its number, or nothing if there is nothing to commit.
  [[nodiscard]] std::optional<BatchNumber> seal();
  // REQUIRES: sealed. Whoever takes the content leaves it empty.
  [[nodiscard]] store::Batch& batch() { return state_.batch; }
  void committed(BatchNumber batch);

  // Ends every connection as the gateway stops: wills fire, 5.0 clients are told.
  void shut_down();

  [[nodiscard]] const Counters& counters() const { return state_.counters; }
  // Walks all sessions: not for every turn.
  [[nodiscard]] Holdings holdings() const { return broker::holdings(state_); }
  [[nodiscard]] uint32_t pending_connects() const { return state_.pending_connects; }
  // Of those: its CONNECT has not come, or the next word of its authentication.
  [[nodiscard]] bool is_to_speak_first(ConnId conn);
  [[nodiscard]] size_t sessions() const { return state_.sessions.size(); }
  [[nodiscard]] size_t subscriptions() const { return state_.router.subscriptions(); }
  [[nodiscard]] size_t shared_subscriptions() const { return state_.router.shared_subscriptions(); }
  [[nodiscard]] size_t deadlines() const { return state_.deadlines.size(); }
  [[nodiscard]] const Retained& retained() const { return state_.retained; }

 private:
  Taken connected_packet(Connection& conn, const mqtt::Frame& frame);
  Taken publish_packet(Connection& conn, const mqtt::Frame& frame);
  Taken rare_packet(Connection& conn, const mqtt::Frame& frame);
  void ack_packet(Connection& conn, const mqtt::Frame& frame);
  Taken held_or_not(Connection& conn, Taken taken);
  void hold(Connection& conn);
  void run(const Deadline& deadline);
  [[nodiscard]] bool is_stale(const Deadline& deadline);
  void keep_alive(Connection& conn);

  State state_;
};

}  // namespace tidegate::broker
