// The turns of the bridge's thread: what happened, what is due, what to send, what to remove.
#include <pthread.h>

#include <algorithm>

#include "bridge/bridge_impl.h"
#include "bridge/reason_text.h"

namespace tidegate::bridge {
namespace {

// Finished records are removed in chunks: each removal is a batch, and with durability `always` an fsync.
constexpr Millis removal_delay{200};
constexpr uint64_t removal_chunk = 1000;
constexpr Millis store_retry{1000};
constexpr Millis link_retry{1};
constexpr std::chrono::microseconds gather{500};
constexpr uint64_t gather_from = 20;
constexpr Millis reclaim_poll{50};
constexpr uint64_t lane_in_flight_max = 200;
constexpr int reads_per_turn = 8;
constexpr Millis leave_within{1500};
constexpr Millis last_word_within{400};

}  // namespace

void Bridge::Impl::run() {
  pthread_setname_np(pthread_self(), ("tg-bridge-" + std::to_string(id_.value)).c_str());
  while (true) {
    wait_for_work();
    const Now now = read_clock();
    take_shared();
    {
      std::lock_guard lock(mutex_);
      if (shared_.stop) break;
    }
    turn(now);
  }
  shut_down();
}

void Bridge::Impl::wait_for_work() {
  const Instant deadline = next_deadline();
  std::unique_lock lock(mutex_);
  auto woken = [this] { return shared_.woken; };
  if (deadline == Instant::never()) {
    wake_.wait(lock, woken);
  } else {
    const Millis left = deadline - read_clock().mono;
    if (left > Millis::zero()) wake_.wait_for(lock, left, woken);
  }
  // With a full window every acknowledgement would cost a turn of its own: a few are let gather.
  if (uplink_.window_full() && uplink_.in_flight() >= gather_from)
    wake_.wait_for(lock, gather, [this] { return shared_.stop; });
  shared_.woken = false;
}

Instant Bridge::Impl::next_deadline() const {
  if (more_to_do_) return Instant{};
  Instant next =
      std::min({deadline_, removal_due_, store_retry_at_, link_retry_at_, uplink_.paused_until(), subscribe_deadline_});
  if (phase_ == Phase::connected && uplink_.in_flight() > 0) {
    const Instant half = progress_at_ + options_.stall_timeout / 2;  // from here on the status says stalled
    next = std::min(next, read_clock().mono < half ? half : progress_at_ + options_.stall_timeout);
  }
  if (reclaim_) next = std::min(next, read_clock().mono + reclaim_poll);
  return next;
}

void Bridge::Impl::take_shared() {
  bool dial_now = false;
  {
    std::lock_guard lock(mutex_);
    uplink_.tail(shared_.tail);
    for (MessagePtr& m : shared_.lane) lane_out_.push_back(std::move(m));
    shared_.lane.clear();
    dial_now = std::exchange(shared_.connect_now, false);
  }
  if (dial_now && phase_ == Phase::waiting) {
    backoff_.reset();
    deadline_ = Instant{};
  }
}

void Bridge::Impl::turn(const Now& now) {
  more_to_do_ = false;
  events_.drain(taken_);
  auto events = std::move(taken_);
  for (Event& event : events) handle(event, now);
  taken_ = std::move(events);
  taken_.clear();
  check_deadlines(now);
  pump(now);
  remove_finished(now, false);
  reclaim(now);
  publish_status(now);
}

void Bridge::Impl::handle(Event& event, const Now& now) {
  using Kind = Event::Kind;
  switch (event.kind) {
    case Kind::connected:
      if (phase_ == Phase::connecting) handle_connected(event.granted, now);
      break;
    case Kind::connect_failed:
      if (phase_ == Phase::connecting) attempt_failed(std::move(event.failure), now);
      break;
    case Kind::lost:
      if (phase_ == Phase::connected) end_connection(std::move(event.failure), now);
      break;
    case Kind::acknowledged:
      if (event.token & lane_token) {
        lane_in_flight_ -= lane_in_flight_ > 0 ? 1 : 0;
        ++sent_qos0_;
      } else if (event.token & notify_token) {
        notifications_in_flight_ -= notifications_in_flight_ > 0 ? 1 : 0;
      } else if (uplink_.acknowledged(Seq{event.token}, batch_)) {
        acked_in_connection_ = true;
        progress_at_ = now.mono;
        std::lock_guard lock(status_mutex_);
        status_.last_acknowledged = now.wall;
      }
      exchanges_.erase_ended(Seq{event.token}, batch_);
      break;
    case Kind::rejected: handle_rejected(event, now); break;
    case Kind::subscribed:
      if (phase_ == Phase::connected) handle_subscribed(event.codes, now);
      break;
  }
}

void Bridge::Impl::handle_rejected(const Event& event, const Now& now) {
  LinkFailure failure;
  failure.step = Step::publish;
  failure.code = event.code;
  failure.text = event.text.empty() ? "a message was not sent (Paho " + std::to_string(event.code) + ")" : event.text;
  if (event.code < 0x80) {
    if (phase_ == Phase::connected) end_connection(std::move(failure), now);
    return;
  }
  if (event.token & lane_token) {
    lane_in_flight_ -= lane_in_flight_ > 0 ? 1 : 0;
  } else if (event.token & notify_token) {
    notifications_in_flight_ -= notifications_in_flight_ > 0 ? 1 : 0;
    failure.text = "notification: " + failure.text;
  } else if (uplink_.rejected(Seq{event.token}, event.code, now)) {
    acked_in_connection_ = true;
    progress_at_ = now.mono;
  }
  exchanges_.erase_ended(Seq{event.token}, batch_);
  note_error(failure, now);
}

void Bridge::Impl::handle_subscribed(const std::vector<int>& codes, const Now& now) {
  subscribe_deadline_ = Instant::never();
  const auto filters = map_.remote_filters();
  for (size_t i = 0; i < codes.size() && i < filters.size(); ++i) {
    if (codes[i] < 0x80) continue;
    LinkFailure failure;
    failure.step = Step::subscribe;
    failure.code = codes[i];
    failure.text = "subscription to \"" + filters[i].filter + "\" refused: " + reason_text(codes[i]);
    note_error(failure, now);
  }
}

void Bridge::Impl::check_deadlines(const Now& now) {
  switch (phase_) {
    case Phase::off: break;
    case Phase::waiting:
      if (now.mono >= deadline_) begin_round(now);
      break;
    case Phase::looking_up: check_lookup(now); break;
    case Phase::connecting:
      if (now.mono >= deadline_) {
        LinkFailure failure;
        failure.step = Step::connack;
        failure.text = "no answer within " + std::to_string(options_.connect_timeout.count() / 1000) + " s";
        attempt_failed(std::move(failure), now);
      }
      break;
    case Phase::connected:
      if ((uplink_.in_flight() > 0 && now.mono - progress_at_ >= options_.stall_timeout) ||
          now.mono >= subscribe_deadline_) {
        LinkFailure failure;
        failure.step = Step::stalled;
        failure.text = "connected, but nothing was acknowledged for " +
                       std::to_string(options_.stall_timeout.count() / 1000) + " s";
        end_connection(std::move(failure), now);
      }
      break;
  }
}

void Bridge::Impl::pump(const Now& now) {
  link_retry_at_ = Instant::never();
  if (phase_ == Phase::connected && !serving_ && !exchanges_.is_resuming()) begin_service(now);
  for (int reads = 0; reads < reads_per_turn; ++reads) {
    const bool read = read_ahead(now);
    uplink_.enforce_limits(batch_);
    if (serving_) send_records(now);
    if (!read || link_retry_at_ != Instant::never()) break;
    more_to_do_ = reads + 1 == reads_per_turn;
  }
  send_lane(now);
}

bool Bridge::Impl::read_ahead(const Now& now) {
  if (store_retry_at_ != Instant::never() && now.mono < store_retry_at_) return false;
  store_retry_at_ = Instant::never();
  auto request = uplink_.next_read();
  if (!request) return false;
  records_.clear();
  Status read = store_.read_queue(out_, request->from, request->end, request->limit, records_);
  if (!read) {
    LinkFailure failure;
    failure.step = Step::store;
    failure.text = read.error().context;
    note_error(failure, now);
    store_retry_at_ = now.mono + store_retry;
    return false;
  }
  uplink_.records(*request, records_);
  return true;
}

void Bridge::Impl::send_records(const Now& now) {
  while (phase_ == Phase::connected) {
    if (to_send_.empty() && !gather_to_send(now)) return;
    const Uplink::Send& send = to_send_.front();
    Seconds expiry = no_expiry;
    if (send.message->expires != WallTime::never()) {
      expiry = std::max(Seconds{1}, std::chrono::duration_cast<Seconds>(send.message->expires - now.wall));
    }
    downlink_.sent(*send.message, now);
    Status sent = link_->publish(send.seq.value, send.message, send.qos, send.retain, expiry);
    if (sent) {
      to_send_.pop_front();
      continue;
    }
    downlink_.not_sent(*send.message, now);
    if (sent.error().code == ErrorCode::no_space) {
      link_retry_at_ = now.mono + link_retry;
      return;
    }
    LinkFailure failure;
    failure.step = Step::publish;
    failure.text = sent.error().context;
    end_connection(std::move(failure), now);
  }
}

// The next message; of QoS 2 as many as come after each other, so that their packet ids are one commit. False: there is
// none, or the connection has ended.
bool Bridge::Impl::gather_to_send(const Now& now) {
  const bool was_idle = uplink_.in_flight() == 0;
  std::vector<Seq> exactly_once;
  while (auto send = uplink_.next_send(now)) {
    to_send_.push_back(std::move(*send));
    if (to_send_.back().qos != Qos::exactly_once) break;
    exactly_once.push_back(to_send_.back().seq);
  }
  if (to_send_.empty()) return false;
  if (was_idle) progress_at_ = now.mono;
  if (exactly_once.empty() || exchanges_.prepare(exactly_once, batch_)) return true;
  LinkFailure failure;
  failure.step = Step::store;
  failure.text = "the disk does not take the packet ids of QoS 2: " + committer_.health().reason;
  end_connection(std::move(failure), now);
  return false;
}

void Bridge::Impl::send_lane(const Now& now) {
  if (phase_ != Phase::connected) return drop_lane();
  if (!serving_) return;
  uint64_t bytes = 0;
  while (!lane_out_.empty() && lane_in_flight_ < lane_in_flight_max) {
    MessagePtr message = std::move(lane_out_.front());
    lane_out_.pop_front();
    bytes += counted_bytes(*message);
    downlink_.sent(*message, now);
    const bool retain = message->retain;
    Status sent = link_->publish(lane_token, message, Qos::at_most_once, retain, no_expiry);
    if (sent) {
      ++lane_in_flight_;
      continue;
    }
    downlink_.not_sent(*message, now);
    if (sent.error().code == ErrorCode::no_space) {
      bytes -= counted_bytes(*message);
      lane_out_.push_front(std::move(message));
      link_retry_at_ = now.mono + link_retry;
      break;
    }
    ++lane_link_down_;
  }
  if (bytes == 0) return;
  std::lock_guard lock(mutex_);
  shared_.lane_bytes -= std::min(shared_.lane_bytes, bytes);
}

void Bridge::Impl::drop_lane() {
  std::lock_guard lock(mutex_);
  if (lane_out_.empty() && shared_.lane.empty()) return;
  lane_link_down_ += lane_out_.size() + shared_.lane.size();
  lane_out_.clear();
  shared_.lane.clear();
  shared_.lane_bytes = 0;
}

void Bridge::Impl::remove_finished(const Now& now, bool at_once) {
  if (!uplink_.head_can_move() && batch_.empty()) {
    removal_due_ = Instant::never();
    return;
  }
  if (removal_due_ == Instant::never()) removal_due_ = now.mono + removal_delay;
  const bool due = at_once || now.mono >= removal_due_ || uplink_.removable() >= removal_chunk || !batch_.empty();
  if (!due) return;
  // One removal at a time: while the disk is slow or failing, the next one grows.
  if (!at_once && last_removal_.value != 0 && committer_.committed() < last_removal_) {
    removal_due_ = std::max(removal_due_, now.mono + Millis{5});
    return;
  }
  uplink_.remove(batch_);
  if (!batch_.empty()) last_removal_ = committer_.submit(batch_);
  batch_.clear();
  removal_due_ = Instant::never();
  if (reclaim_) return;
  if (auto end = uplink_.begin_reclaim()) reclaim_ = PendingReclaim{*end, last_removal_};
}

void Bridge::Impl::reclaim(const Now& now) {
  if (!reclaim_ || committer_.committed() < reclaim_->after) return;
  if (Status done = store_.reclaim(out_, reclaim_->end); !done) {
    LinkFailure failure;
    failure.step = Step::store;
    failure.text = done.error().context;
    note_error(failure, now);
  }
  reclaim_.reset();
}

void Bridge::Impl::shut_down() {
  if (phase_ == Phase::connected) {
    bool to_notify = remote_notified_;
    auto unanswered = [&] { return to_notify || notifications_in_flight_ > 0 || uplink_.in_flight() > 0; };
    if (unanswered()) {
      const Instant limit = read_clock().mono + last_word_within;
      for (Now now = read_clock(); unanswered() && now.mono < limit; now = read_clock()) {
        if (to_notify) to_notify = !notify_remote(false);
        take_answers(now);
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, Millis{20}, [this] { return shared_.woken; });
        shared_.woken = false;
      }
    }
    up_ = false;
    link_->disconnect(leave_within);
  } else {
    link_->close();
  }
  up_ = false;
  const Now now = read_clock();
  take_answers(now);
  uplink_.lost();
  phase_ = Phase::off;
  drop_lane();
  remove_finished(now, true);
  set_state(LinkState::stopped, now);
  publish_status(now);
}

void Bridge::Impl::take_answers(const Now& now) {
  std::vector<Event> events;
  events_.drain(events);
  for (Event& event : events) {
    const bool answer =
        event.kind == Event::Kind::acknowledged || (event.kind == Event::Kind::rejected && event.code >= 0x80);
    if (answer) handle(event, now);
  }
}

}  // namespace tidegate::bridge
