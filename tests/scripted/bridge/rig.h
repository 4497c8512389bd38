// A bridge with everything around it but the gateway: a store in memory, a committer, a core that appends, a host that
// remembers.
#pragma once

#include <sys/resource.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bridge/bridge.h"
#include "store/committer.h"
#include "store/memory_store.h"
#include "store/queue.h"

namespace tidegate::bridge {

class Rig : public BridgeHost {
 public:
  explicit Rig(uint32_t number = 1, store::Store* store = nullptr)
      : id_{number}, store_(store ? *store : own_store_), committer_(store_, {}), appender_(QueueId{number * 10}, {}) {}
  ~Rig() override { stop(); }

  static Options options(uint16_t port) {
    Options o;
    o.name = "test";
    o.addresses = {{"127.0.0.1", port}};
    o.client_id = "tg-test-" + std::to_string(port);
    o.restart_timeout = {Millis{50}, Millis{400}, Millis{30'000}};
    o.rules = {{.topic = "#", .direction = Direction::out}};
    o.notifications = false;
    return o;
  }
  Bridge& start(const Options& o, Resolver resolver = {}, LinkFactory make_link = {}) {
    Queues queues = bridge_ ? bridge_->final_queues() : queues_;
    queues.out = appender_.id();
    queues.inbox = QueueId{appender_.id().value + 1};
    bridge_ =
        std::make_unique<Bridge>(id_, o, store_, committer_, queues, *this, std::move(make_link), std::move(resolver));
    bridge_->out_tail(appender_.tail());
    bridge_->start();
    return *bridge_;
  }
  void stop() {
    if (bridge_) bridge_->stop();
  }
  // As the broker's turn: append, commit, tell.
  void append(size_t count, size_t payload = 0, const std::function<void(Message&)>& change = {}) {
    store::Batch batch;
    for (size_t i = 0; i < count; ++i) {
      Message m;
      m.topic = "up/" + std::to_string(appender_.tail().next.value % 10);
      m.payload = std::to_string(appender_.tail().next.value);
      if (m.payload.size() < payload) m.payload.resize(payload, ' ');
      m.qos = Qos::at_least_once;
      m.received = read_clock().wall;
      if (change) change(m);
      appender_.append(batch, store::view_of(m));
    }
    appender_.flush(batch);
    (void)committer_.wait(committer_.submit(batch));
    if (bridge_) bridge_->out_tail(appender_.tail());
  }
  bool wait(const std::function<bool(const BridgeStatus&)>& condition,
            std::chrono::milliseconds limit = std::chrono::seconds(20)) const {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition(bridge_->status())) {
      if (std::chrono::steady_clock::now() >= end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }
  bool wait_for(LinkState state) const {
    return wait([&](const BridgeStatus& s) { return s.state == state; });
  }
  bool drained() const {
    return wait([](const BridgeStatus& s) { return s.queue_messages == 0; }, std::chrono::seconds(60));
  }
  struct Inbound {
    MessagePtr message;
    Seq seq;
  };
  std::vector<Inbound> inbound_messages() const {
    std::lock_guard lock(mutex_);
    return inbound_;
  }
  size_t inbound_count() const {
    std::lock_guard lock(mutex_);
    return inbound_.size();
  }

  void inbound(BridgeId, MessagePtr message, QueueId, Seq seq) override {
    std::lock_guard lock(mutex_);
    inbound_.push_back({std::move(message), seq});
  }
  void state_changed(BridgeId) override {}

  Bridge& bridge() { return *bridge_; }
  store::MemoryStore& memory() { return own_store_; }
  store::Store& store() { return store_; }
  store::Committer& committer() { return committer_; }

 private:
  const BridgeId id_;
  store::MemoryStore own_store_;
  store::Store& store_;
  store::Committer committer_;
  store::QueueAppender appender_;
  Queues queues_;
  mutable std::mutex mutex_;
  std::vector<Inbound> inbound_;
  std::unique_ptr<Bridge> bridge_;
};

}  // namespace tidegate::bridge
