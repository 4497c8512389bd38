// The way to a connection and out of it; and what the bridge says about itself.
#include "bridge/bridge_impl.h"
#include "bridge/tcp_probe.h"

namespace tidegate::bridge {
namespace {

constexpr Millis tcp_probe_within{500};

std::string name_of(const Address& address) {
  return address.host + ":" + std::to_string(address.port);
}

}  // namespace

void Bridge::Impl::begin_round(const Now& now) {
  round_failure_ = {};
  dial_.begin_round();
  dial(now);
}

// Goes on with the current place of the plan.
void Bridge::Impl::dial(const Now& now) {
  if (dial_.over()) return round_failed(now);
  const Address& address = dial_.address();
  bool refused = false;
  {
    std::lock_guard lock(status_mutex_);
    status_.address = name_of(address);
    status_.next_try = WallTime::never();
    refused = status_.state == LinkState::refused;  // stays until the remote says something else
  }
  if (!refused) set_state(LinkState::connecting, now);
  if (dial_.needs_lookup() && is_numeric_address(address.host)) dial_.resolved({address.host});
  if (!dial_.needs_lookup()) return try_connect(now);
  phase_ = Phase::looking_up;
  deadline_ = now.mono + options_.name_lookup_timeout;
  lookup_->start(address.host);
}

void Bridge::Impl::check_lookup(const Now& now) {
  const std::string& host = dial_.address().host;
  auto answer = lookup_->take(host);
  if (answer && *answer) {
    dial_.resolved(std::move(**answer));
    return try_connect(now);
  }
  if (!answer && now.mono < deadline_) return;
  LinkFailure failure;
  failure.step = Step::name_lookup;
  failure.text = answer ? answer->error().context
                        : host + ": no answer from the name server within " +
                              std::to_string(options_.name_lookup_timeout.count() / 1000) + " s";
  note_error(failure, now);
  round_failure_ = std::move(failure);
  dial_.lookup_failed();
  dial(now);
}

void Bridge::Impl::try_connect(const Now& now) {
  for (auto& pin : pins_) {
    if (pin->host() == dial_.address().host) pin->pin(dial_.numeric());
  }
  ConnectRequest request;
  request.options = &options_;
  request.address = dial_.address();
  request.numeric = dial_.numeric();
  request.protocol = dial_.protocol();
  request.window = options_.window;
  if (exactly_once_) {
    request.exchanges = &exchanges_;
    request.record = [this](Seq seq) -> MessagePtr {
      std::vector<store::QueueRecord> found;
      if (!store_.read_queue(out_, seq, Seq{seq.value + 1}, {}, found) || found.empty()) return nullptr;
      return found.front().message;
    };
    request.clean_start = clean_next_.contains(name_of(request.address)) || !can_resume();
  }
  phase_ = Phase::connecting;
  deadline_ = now.mono + options_.connect_timeout;
  {
    std::lock_guard lock(status_mutex_);
    ++status_.tries;
  }
  if (Status begun = link_->connect(request); !begun) {
    LinkFailure failure;
    failure.step = Step::link;
    failure.text = begun.error().context;
    attempt_failed(std::move(failure), now);
  }
}

void Bridge::Impl::attempt_failed(LinkFailure failure, const Now& now) {
  link_->close();
  take_answers(now);
  const bool no_answer_at_all = failure.step == Step::connack && failure.code == 0;
  if (failure.step == Step::tcp || no_answer_at_all) {
    const std::string tcp = tcp_failure_of(dial_.numeric(), dial_.address().port, tcp_probe_within);
    if (!tcp.empty()) {
      failure.step = Step::tcp;
      failure.text = "TCP: " + tcp;
    }
  }
  failure.text = name_of(dial_.address()) + ": " + failure.text;
  note_error(failure, now);
  dial_.connect_failed(failure);
  round_failure_ = std::move(failure);
  dial(now);
}

void Bridge::Impl::round_failed(const Now& now) {
  phase_ = Phase::waiting;
  const Millis wait = backoff_.next();
  deadline_ = now.mono + wait;
  {
    std::lock_guard lock(status_mutex_);
    status_.next_try = now.wall + wait;
  }
  set_state(round_failure_.refused ? LinkState::refused : LinkState::waiting, now);
}

void Bridge::Impl::handle_connected(const Granted& granted, const Now& now) {
  phase_ = Phase::connected;
  deadline_ = Instant::never();
  connected_at_ = progress_at_ = now.mono;
  acked_in_connection_ = false;
  lane_in_flight_ = 0;
  RemoteLimits limits;
  // Strictly below the remote's limit: at it, Paho's send thread can fall asleep for a second.
  limits.window = std::min(options_.window, std::max<uint32_t>(1, granted.receive_maximum - 1));
  limits.maximum_qos = lower(exactly_once_ ? Qos::exactly_once : Qos::at_least_once, granted.maximum_qos);
  limits.retain_available = granted.retain_available;
  limits.max_packet_size = granted.max_packet_size;
  uplink_.connected(limits);
  const bool v311 = dial_.protocol() < 5;
  downlink_.watch_echoes(v311);
  {
    std::lock_guard lock(status_mutex_);
    status_.down_since = WallTime::never();
    status_.next_try = WallTime::never();
    status_.tries = 0;
    status_.protocol = dial_.protocol();
    ++status_.connects;
  }
  resume_session(granted, now);
  // 5.0 is asked each time and sends retained messages for new subscriptions only; 3.1.1 would send them all again.
  if (!v311 || !granted.session_present || subscribed_at_ != name_of(dial_.address())) subscribed_at_.clear();
  set_state(LinkState::connected, now);
  if (!exchanges_.is_resuming()) begin_service(now);
}

// What QoS 2 had under way goes on where the remote's session knows of it, else begins anew.
void Bridge::Impl::resume_session(const Granted& granted, const Now& now) {
  const std::string address = name_of(dial_.address());
  clean_next_.erase(address);
  if (!granted.session_present) {
    const ExchangeMarks old = exchanges_.clear(batch_);
    for (const Exchange& e : old.up) {
      if (e.released) {
        (void)uplink_.acknowledged(e.seq, batch_);
      } else {
        uplink_.session_lost(e.seq);
      }
    }
    if (!old.up.empty() && session_at_ != address) clean_next_.insert(session_at_);
    remove_finished(now, true);
  }
  session_at_ = address;
}

// The link counts packet ids from 1 in each connection, and what is under way has kept its own: anything with an id
// waits until that is through.
void Bridge::Impl::begin_service(const Now& now) {
  serving_ = true;
  if (subscribed_at_.empty()) subscribe(now);
  if (phase_ != Phase::connected) return;
  subscribed_at_ = name_of(dial_.address());
  notify_remote(true);
  up_ = true;
}

// Whether the records of everything under way can still be read (a damaged store): without one its packet id is lost.
bool Bridge::Impl::can_resume() const {
  for (const Exchange& e : exchanges_.marks().up) {
    std::vector<store::QueueRecord> found;
    if (e.released) continue;
    if (!store_.read_queue(out_, e.seq, Seq{e.seq.value + 1}, {}, found) || found.empty()) return false;
  }
  return true;
}

void Bridge::Impl::subscribe(const Now& now) {
  if (map_.remote_filters().empty()) return;
  std::vector<RemoteFilter> filters(map_.remote_filters().begin(), map_.remote_filters().end());
  // QoS 2 without a kept session would lose a message that was received and not yet released at a crash.
  if (!exactly_once_) {
    for (RemoteFilter& f : filters) f.qos = lower(f.qos, Qos::at_least_once);
  }
  subscribe_deadline_ = now.mono + options_.stall_timeout;
  if (Status asked = link_->subscribe(filters); !asked) {
    LinkFailure failure;
    failure.step = Step::subscribe;
    failure.text = asked.error().context;
    end_connection(std::move(failure), now);
  }
}

bool Bridge::Impl::notify_remote(bool up) {
  if (!options_.notifications || options_.notifications_local_only || options_.notification_topic.empty()) return true;
  auto message = std::make_shared<Message>();
  message->topic = options_.notification_topic;
  message->payload = up ? "1" : "0";
  const bool taken = link_->publish(notify_token, std::move(message), Qos::at_least_once, true, no_expiry).has_value();
  if (taken) {
    remote_notified_ = true;
    ++notifications_in_flight_;
  }
  return taken;
}

void Bridge::Impl::end_connection(LinkFailure failure, const Now& now) {
  if (phase_ != Phase::connected) return;
  phase_ = Phase::waiting;
  up_ = false;
  // What the remote acknowledged before the end counts; then nothing more can come.
  link_->close();
  take_answers(now);
  const bool flowed = acked_in_connection_ || uplink_.in_flight() == 0;
  uplink_.lost();
  to_send_.clear();
  serving_ = false;
  downlink_.watch_echoes(false);
  subscribe_deadline_ = Instant::never();
  lane_in_flight_ = 0;
  remote_notified_ = false;
  notifications_in_flight_ = 0;
  backoff_.connection_ended(now.mono - connected_at_, flowed);
  failure.text = name_of(dial_.address()) + ": " + failure.text;
  note_error(failure, now);
  round_failure_ = std::move(failure);
  {
    std::lock_guard lock(status_mutex_);
    status_.down_since = now.wall;
    status_.protocol = 0;
  }
  round_failed(now);
}

void Bridge::Impl::note_error(const LinkFailure& failure, const Now& now) {
  std::lock_guard lock(status_mutex_);
  status_.last_error = {failure.step, failure.code, failure.text, now.wall};
}

void Bridge::Impl::set_state(LinkState state, const Now& now) {
  auto trying = [](LinkState s) { return s == LinkState::connecting || s == LinkState::waiting; };
  {
    std::lock_guard lock(status_mutex_);
    if (status_.state == state) return;
    if (!(trying(status_.state) && trying(state))) status_.since = now.wall;
    status_.state = state;
  }
  publish_status(now);
  host_.state_changed(id_);
}

void Bridge::Impl::publish_status(const Now& now) {
  const store::QueueSize size = uplink_.size();
  const Uplink::Counters& up = uplink_.counters();
  const Downlink::Counters down = downlink_.counters();
  bool alarm_changed = false;
  {
    std::lock_guard lock(status_mutex_);
    status_tail_ = uplink_.committed_tail();
    status_.queue_messages = size.messages;
    status_.queue_bytes = size.bytes;
    status_.oldest = uplink_.oldest();
    status_.in_flight = uplink_.in_flight();
    status_.stalled =
        phase_ == Phase::connected && uplink_.in_flight() > 0 && now.mono - progress_at_ >= options_.stall_timeout / 2;
    alarm_changed = std::exchange(status_.queue_alarm, uplink_.alarm()) != status_.queue_alarm;
    status_.delivered = up.delivered;
    status_.delivered_bytes = up.delivered_bytes;
    status_.possible_duplicates = up.possible_duplicates;
    status_.sent_qos0 = sent_qos0_;
    status_.received = down.received;
    status_.dropped.queue_full = up.queue_full;
    status_.dropped.expired = up.expired;
    status_.dropped.rejected = up.rejected;
    status_.dropped.too_large = up.too_large;
    status_.dropped.unreadable = up.unreadable;
    status_.dropped.echoes = down.echoes;
    status_.dropped.no_local_topic = down.no_local_topic;
  }
  if (alarm_changed) host_.state_changed(id_);
}

BridgeStatus Bridge::Impl::status() const {
  std::scoped_lock lock(mutex_, status_mutex_);
  BridgeStatus copy = status_;
  // What the core appended since the last turn of the bridge's thread waits as well.
  copy.queue_messages += shared_.tail.next.value - status_tail_.next.value;
  copy.queue_bytes += shared_.tail.bytes_in - status_tail_.bytes_in;
  copy.dropped.qos0_link_down = lane_link_down_;
  copy.dropped.qos0_lane_full = lane_full_;
  return copy;
}

}  // namespace tidegate::bridge
