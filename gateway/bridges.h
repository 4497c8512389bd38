// The bridges of the configuration between core and store: their queues, their routes in the broker, their state topics.
//
// Thread: the core's, but for the BridgeHost calls. A bridge that stops may wait for its remote, so a helper thread does
// that; meanwhile its queue goes on filling, and its successor takes over from there.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "bridge/bridge.h"
#include "bridge/topic_map.h"
#include "config/config.h"
#include "gateway/net/core_loop.h"
#include "gateway/net/task_threads.h"
#include "store/committer.h"
#include "store/store.h"

namespace tidegate {

class Bridges final : public bridge::BridgeHost {
 public:
  Bridges(net::CoreLoop& loop, store::Store& store, store::Committer& committer);
  ~Bridges() override;

  // Before the loop runs: makes or finds the queues and sets up the routes. Errors: of the store; invalid rules.
  [[nodiscard]] Status add(const config::Bridge& bridge);
  // Then, with all routes there: takes what still waits in the inboxes into the broker's batch.
  [[nodiscard]] Status take_inboxes();
  // Messages that wait in the out queues.
  [[nodiscard]] uint64_t waiting() const;
  // QoS 0 messages from remotes that came faster than the core took them.
  [[nodiscard]] uint64_t qos0_dropped() const { return qos0_dropped_; }
  void start();

  // While the loop runs.
  void add_live(const config::Bridge& bridge);
  void remove(const std::string& name);
  void change(const config::Bridge& bridge);
  // Publishes each status that is not what was published last; call about once a second.
  void publish_status();

  [[nodiscard]] std::vector<bridge::BridgeStatus> statuses() const;

  // After the loop: ends all links, at the same time.
  void stop();

  void inbound(BridgeId bridge, MessagePtr message, QueueId inbox, Seq seq) override;
  void state_changed(BridgeId bridge) override;

 private:
  struct Line;
  [[nodiscard]] Result<std::unique_ptr<Line>> make_line(const config::Bridge& bridge);
  void attach(Line& line);
  [[nodiscard]] std::vector<broker::BridgeRoute> routes_of(Line& line);
  void make_bridge(Line& line, const bridge::Queues& queues);
  [[nodiscard]] Status take_inbox(Line& line);
  void log_state(Line& line);
  void publish_state(Line& line);
  void take(BridgeId id, const Message& message, Seq seq);
  [[nodiscard]] Line* find(BridgeId id);
  [[nodiscard]] Line* find(const std::string& name);
  void start(Line& line);
  void end_in_background(Line& line);
  void ended(Line& line);
  void forget_routes(Line& line);
  void unpublish(Line& line);

  net::CoreLoop& loop_;
  store::Store& store_;
  store::Committer& committer_;
  std::vector<std::unique_ptr<Line>> lines_;
  uint32_t next_id_ = 1;
  std::atomic<uint32_t> qos0_on_their_way_{0};
  std::atomic<uint64_t> qos0_dropped_{0};
  net::TaskThreads stopper_;
};

}  // namespace tidegate
