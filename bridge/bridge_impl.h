// The driver of one bridge: its thread, its link, its timers. Private to bridge.cpp, driver.cpp and connect.cpp.
//
// The pure parts decide (Uplink, DialPlan, Backoff, TopicMap); this carries out and measures time. Everything below
// "bridge thread only" is touched by that thread alone; others hand over through `shared_` and `events_`.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "bridge/backoff.h"
#include "bridge/bridge.h"
#include "bridge/cloud_link.h"
#include "bridge/dial_plan.h"
#include "bridge/downlink.h"
#include "bridge/exchanges.h"
#include "bridge/name_lookup.h"
#include "bridge/topic_map.h"
#include "bridge/uplink.h"
#include "gateway/base/mailbox.h"

namespace tidegate::bridge {

class Bridge::Impl final : public LinkEvents {
 public:
  Impl(BridgeId id, Options options, store::Store& store, store::Committer& committer, const Queues& queues,
       BridgeHost& host, LinkFactory make_link, Resolver resolver);
  ~Impl() override;

  void start();
  void stop();
  void out_tail(const store::QueueTail& committed);
  bool offer_qos0(MessagePtr message);
  void connect_now();
  [[nodiscard]] BridgeStatus status() const;
  [[nodiscard]] Queues final_queues() const;

  const BridgeId id_;
  const Options options_;

 private:
  struct Event {
    enum class Kind : uint8_t { connected, connect_failed, lost, acknowledged, rejected, subscribed } kind{};
    LinkToken token = 0;
    int code = 0;
    std::string text;
    Granted granted;
    LinkFailure failure;
    std::vector<int> codes;
  };
  // LinkEvents, on the link's threads.
  void connected(const Granted& granted) override;
  void connect_failed(LinkFailure failure) override;
  void lost(LinkFailure failure) override;
  void acknowledged(LinkToken token) override;
  void rejected(LinkToken token, int code, std::string text) override;
  void subscribed(std::vector<int> codes) override;
  [[nodiscard]] bool message(Message remote, uint16_t packet_id) override;
  void post(Event event);
  void wake();

  // --- bridge thread only ---
  void run();
  void wait_for_work();
  [[nodiscard]] Instant next_deadline() const;
  void turn(const Now& now);
  void take_shared();
  void handle(Event& event, const Now& now);
  void handle_connected(const Granted& granted, const Now& now);
  void handle_rejected(const Event& event, const Now& now);
  void handle_subscribed(const std::vector<int>& codes, const Now& now);
  void take_answers(const Now& now);  // acknowledgements that arrived before the link was closed
  void check_deadlines(const Now& now);
  void shut_down();

  // connect.cpp: the way to a connection
  void begin_round(const Now& now);
  void dial(const Now& now);
  void check_lookup(const Now& now);
  void try_connect(const Now& now);
  void attempt_failed(LinkFailure failure, const Now& now);
  void round_failed(const Now& now);
  void end_connection(LinkFailure failure, const Now& now);
  void subscribe(const Now& now);
  void resume_session(const Granted& granted, const Now& now);
  void begin_service(const Now& now);
  [[nodiscard]] bool can_resume() const;
  bool notify_remote(bool up);  // false: the link did not take it

  // Sending, reading, removing
  void pump(const Now& now);
  bool read_ahead(const Now& now);
  void send_records(const Now& now);
  [[nodiscard]] bool gather_to_send(const Now& now);
  void send_lane(const Now& now);
  void drop_lane();
  void remove_finished(const Now& now, bool at_once);
  void reclaim(const Now& now);

  void note_error(const LinkFailure& failure, const Now& now);
  void set_state(LinkState state, const Now& now);
  void publish_status(const Now& now);

  enum class Phase : uint8_t { off, waiting, looking_up, connecting, connected };

  store::Store& store_;
  store::Committer& committer_;
  BridgeHost& host_;
  const QueueId out_, inbox_;

  TopicMap map_;
  Exchanges exchanges_;
  const bool exactly_once_;
  Uplink uplink_;
  Downlink downlink_;
  Backoff backoff_;
  DialPlan dial_;
  std::vector<std::unique_ptr<PinnedName>> pins_;  // one for each address that is a name
  std::unique_ptr<NameLookup> lookup_;
  std::unique_ptr<CloudLink> link_;

  Phase phase_ = Phase::off;
  Instant deadline_ = Instant::never();  // of the phase: retry, lookup, connect
  Instant connected_at_{}, progress_at_{}, subscribe_deadline_ = Instant::never();
  bool acked_in_connection_ = false;
  bool serving_ = false;              // connected, and through with what was under way before
  std::string session_at_;            // the address whose session the exchanges are with
  std::set<std::string> clean_next_;  // addresses whose sessions know more than is known here
  std::deque<Uplink::Send> to_send_;  // what is of QoS 2 among them is prepared
  std::string subscribed_at_;         // 3.1.1: the address where this object's subscriptions stand
  LinkFailure round_failure_;
  std::vector<Event> taken_;
  store::Batch batch_;
  Ticket last_removal_{};
  Instant removal_due_ = Instant::never();
  struct PendingReclaim {
    Seq end;
    Ticket after;
  };
  std::optional<PendingReclaim> reclaim_;
  Instant store_retry_at_ = Instant::never();
  Instant link_retry_at_ = Instant::never();  // the link takes no more for a moment
  std::vector<store::QueueRecord> records_;
  std::deque<MessagePtr> lane_out_;
  uint64_t lane_in_flight_ = 0;
  bool more_to_do_ = false;
  bool remote_notified_ = false;
  uint32_t notifications_in_flight_ = 0;

  // --- shared ---
  struct Shared {
    store::QueueTail tail;
    std::deque<MessagePtr> lane;
    uint64_t lane_bytes = 0;
    bool stop = false, connect_now = false, woken = false;
  };
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Shared shared_;
  Mailbox<Event> events_;
  std::atomic<bool> up_ = false;
  std::atomic<uint64_t> lane_link_down_ = 0, lane_full_ = 0;

  mutable std::mutex status_mutex_;
  BridgeStatus status_;
  store::QueueTail status_tail_;  // that queue_messages and queue_bytes of status_ were made with
  uint64_t sent_qos0_ = 0;

  std::thread thread_;
  bool stopped_ = false;
  std::mutex stop_mutex_;
};

// Tokens of the link: places in the out queue as they are; QoS 0 and notifications are marked.
inline constexpr LinkToken lane_token = LinkToken{1} << 62;
inline constexpr LinkToken notify_token = LinkToken{1} << 61;

}  // namespace tidegate::bridge
