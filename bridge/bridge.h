// One bridge: carries the records of its out queue to the remote, in order, at least once, with QoS 2 exactly once, and
// brings what the remote sends into its inbox queue before the remote gets its acknowledgement.
//
// The record in the out queue is what is sent: it holds the REMOTE topic, the QoS of the delivery and the retain flag,
// so changed rules never cost a queued message. TopicMap (topic_map.h) makes them from the local ones.
//
// Owns: the head of the out queue, the tail of the inbox, one thread ("tg-bridge-N"), the link to the remote.
// Never owns: the tail of the out queue (the core's), the head of the inbox (the core's).
// Thread: every call from any thread unless said otherwise; none waits for the network but stop() and the destructor.
#pragma once

#include <functional>
#include <memory>

#include "bridge/exchanges.h"
#include "bridge/name_lookup.h"
#include "bridge/options.h"
#include "bridge/status.h"
#include "gateway/base/ids.h"
#include "gateway/base/message.h"
#include "store/committer.h"
#include "store/records.h"
#include "store/store.h"

namespace tidegate::bridge {

class CloudLink;
class LinkEvents;

// Implemented by the app. Called from the bridge's thread and from Paho's, which stand still meanwhile: hand over to a
// mailbox and return. No exception may leave them, and no call of them may come back into this Bridge's stop().
class BridgeHost {
 public:
  virtual ~BridgeHost() = default;
  // A message from the remote, its topic already local, `from_bridge` set. QoS >= 1: record `seq` of `inbox` is
  // committed; the host removes it once the message is where it belongs. QoS 0: seq is 0, there is no record.
  // What the host does not take, it finds in the inbox at any later time.
  virtual void inbound(BridgeId bridge, MessagePtr message, QueueId inbox, Seq seq) = 0;
  // status().state or status().queue_alarm changed.
  virtual void state_changed(BridgeId bridge) = 0;
};

// The bridge's ends of its two queues, as restored from the store.
struct Queues {
  QueueId out{};
  store::QueueHead out_head;
  store::QueueTail out_tail;  // committed
  QueueId inbox{};
  store::QueueTail inbox_tail;
  ExchangeMarks exchanges;
};

using LinkFactory = std::function<std::unique_ptr<CloudLink>(LinkEvents&)>;

class Bridge {
 public:
  // Nothing runs before start(). `store`, `committer` and `host` outlive the Bridge. `make_link`: empty for Paho.
  // `resolver`: empty for the system's.
  // REQUIRES: id.value != 0; options.addresses not empty; TopicMap::make(options.rules) succeeds.
  Bridge(BridgeId id, Options options, store::Store& store, store::Committer& committer, Queues queues,
         BridgeHost& host, LinkFactory make_link = {}, Resolver resolver = {});
  ~Bridge();  // stop()
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  // Start type automatic: begins to connect. Off: limits of the queue are still kept.
  void start();
  // Orderly and final: notification "0", DISCONNECT, thread ended. Takes up to about 2 s when the remote is slow. What
  // was sent and not acknowledged stays in the queue. May be called twice. Not from a BridgeHost call.
  void stop();

  // The committed tail of the out queue grew. Never blocks; cheap enough for every turn of the core.
  void out_tail(const store::QueueTail& committed);
  // Takes a QoS 0 message whose topic is the remote one. False: not connected, or the lane is full; then it is dropped
  // and counted. Never blocks.
  bool offer_qos0(MessagePtr remote_message);
  // Ends the wait for the next try, if there is one; the backoff starts anew.
  void connect_now();

  [[nodiscard]] BridgeStatus status() const;
  [[nodiscard]] BridgeId id() const;
  [[nodiscard]] const Options& options() const;
  // The marks as they stand in the store once everything submitted is committed; for the Bridge that takes over after a
  // reload. REQUIRES: stop() has returned.
  [[nodiscard]] Queues final_queues() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::bridge
