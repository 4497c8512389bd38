// The way up of one bridge as a pure state machine: which records to read, which to send, which to remove. No thread, no
// clock, no store: the driver carries out what it says and tells it what happened.
//
// Invariants
//   1. A record is removed only when the remote acknowledged it, or when a counted reason ended it.
//   2. Records are sent in the order of their places; after a loss, again from the oldest unacknowledged one.
//   3. At most `window` are unacknowledged, and what is in flight is never dropped for room.
//   4. The head moves over a run of finished records only: what a crash leaves behind is sent again, never skipped.
//   5. Memory holds a bounded piece of the queue, whatever its length.
//
//        removed | done sent done sent sent | waiting waiting ...   | on disk only ...      | tail
//                ^ head (front of slots_)   ^ first_waiting_        ^ read_next_            ^ tail_.next
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "bridge/options.h"
#include "bridge/status.h"
#include "store/queue.h"
#include "store/store.h"

namespace tidegate::bridge {

// What the remote allows on this connection.
struct RemoteLimits {
  uint32_t window = 100;
  Qos maximum_qos = Qos::at_least_once;
  bool retain_available = true;
  uint64_t max_packet_size = UINT64_MAX;
};

class Uplink {
 public:
  // `under_way`: what the remote's session may know of already (QoS 2), in order; the link sends it again by itself.
  Uplink(QueueId queue, const store::QueueHead& head, const store::QueueTail& committed_tail, QueueLimits limits,
         std::vector<Seq> under_way = {});

  // --- what happened ---
  void tail(const store::QueueTail& committed);
  void connected(const RemoteLimits& limits);
  // What is unacknowledged will be sent again, but for QoS 2, which stays in flight; also right when nothing was
  // connected.
  void lost();
  // A record of QoS 2 is erased by `batch`. False: nothing like it is in flight (an answer of a former connection); then
  // nothing changed.
  bool acknowledged(Seq seq, store::Batch& batch);
  void session_lost(Seq seq);  // QoS 2 in flight: the remote may have it or not; it will be sent again
  // The remote refused it. Codes 0x96 (rate) and 0x97 (quota) are tried again after a pause, others end the record.
  bool rejected(Seq seq, int reason_code, const Now& now);
  void send_failed(Seq seq);  // next_send gave it, but the link did not take it

  // --- what to read ---
  struct ReadRequest {
    Seq from, end;
    store::ReadLimit limit;
  };
  // The driver reads and calls `records` with the same request, before anything else.
  [[nodiscard]] std::optional<ReadRequest> next_read() const;
  void records(const ReadRequest& asked, std::vector<store::QueueRecord>& found);

  // --- what to send ---
  struct Send {
    Seq seq;
    MessagePtr message;
    Qos qos;
    bool retain;
  };
  // The next one, which counts as in flight from now on; nothing while not connected, paused or the window is full.
  [[nodiscard]] std::optional<Send> next_send(const Now& now);
  // When next_send may give something again after a refusal for rate or quota; never: not paused.
  [[nodiscard]] Instant paused_until() const { return paused_until_; }

  // --- what to remove ---
  // Drops the oldest records that are not in flight until the queue is within its limits, as far as they were read.
  // The records that stand behind something in flight are erased one by one into `batch`.
  void enforce_limits(store::Batch& batch);
  // Finished records at the head of the queue that `remove` would take, and whether it would move the head at all.
  [[nodiscard]] uint64_t removable() const { return done_at_front_.messages; }
  [[nodiscard]] bool head_can_move() const { return front() > remover_.head().first; }
  // Moves the head over them. With a long backlog only the head moves, and reclaim_below tells the rest.
  void remove(store::Batch& batch);
  // Something: Store::reclaim is to be called up to here, once the head as it is now is committed.
  [[nodiscard]] std::optional<Seq> begin_reclaim();

  // --- what to say ---
  [[nodiscard]] store::QueueSize size() const;  // waiting and in flight
  [[nodiscard]] bool alarm() const;             // above alarm_percent of a limit
  [[nodiscard]] uint64_t in_flight() const { return in_flight_; }
  [[nodiscard]] bool window_full() const { return connected_ && in_flight_ >= remote_.window; }
  [[nodiscard]] WallTime oldest() const;  // never: the queue is empty, or its front was not read yet
  [[nodiscard]] const store::QueueHead& head() const { return remover_.head(); }
  [[nodiscard]] const store::QueueTail& committed_tail() const { return tail_; }

  struct Counters {
    uint64_t delivered = 0, delivered_bytes = 0, possible_duplicates = 0;
    uint64_t queue_full = 0, expired = 0, rejected = 0, too_large = 0, unreadable = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  struct Slot {
    enum class State : uint8_t { waiting, sent, done } state = State::waiting;
    bool exactly_once = false;  // sent with QoS 2
    Seq seq{};
    uint64_t bytes = 0;
    WallTime received{};
    MessagePtr message;  // empty once done
  };
  using Slots = std::deque<Slot>;

  [[nodiscard]] Slots::iterator find_sent(Seq seq);
  [[nodiscard]] Slots::iterator first_waiting();
  void finish(Slot& slot);
  void pop_done();
  [[nodiscard]] bool over_limits() const;
  [[nodiscard]] Seq front() const { return slots_.empty() ? read_next_ : slots_.front().seq; }

  store::QueueRemover remover_;
  store::QueueTail tail_;
  const QueueLimits limits_;
  RemoteLimits remote_;
  bool connected_ = false;

  Slots slots_;
  std::vector<Seq> under_way_;  // not read yet
  Seq read_next_{1};            // every record below is gone or in slots_
  Seq first_waiting_{1};        // no waiting slot stands below
  size_t waiting_ = 0;
  size_t in_flight_ = 0;
  uint64_t waiting_bytes_ = 0;
  Instant paused_until_ = Instant::never();
  bool paused_ = false;

  struct DoneAtFront {  // popped off slots_, not yet removed from the queue
    uint64_t messages = 0, bytes = 0;
  } done_at_front_;
  uint64_t kept_ = 0;  // records below the head that were not erased, since the last reclaim

  Counters counters_;
};

}  // namespace tidegate::bridge
