#include "bridge/uplink.h"

#include <algorithm>

#include "gateway/base/result.h"

namespace tidegate::bridge {
namespace {

constexpr store::ReadLimit read_limit{.messages_max = 500, .bytes_max = 1 << 20};
constexpr uint64_t keep_records_above_bytes = 8u << 20;  // of backlog
constexpr uint64_t reclaim_every = 32'768;               // records
constexpr Millis pause_after_quota{1000};
constexpr int quota_exceeded = 0x97, message_rate_too_high = 0x96;
constexpr uint64_t packet_overhead = 16;  // fixed header, topic length, packet id, property lengths and expiry

uint64_t packet_bytes(const Message& m) {
  return m.topic.size() + m.payload.size() + m.properties.size() + packet_overhead;
}

bool above(uint64_t value, uint64_t limit, uint32_t percent) {
  return static_cast<double>(value) > static_cast<double>(limit) / 100.0 * percent;
}

}  // namespace

Uplink::Uplink(QueueId queue, const store::QueueHead& head, const store::QueueTail& committed_tail, QueueLimits limits,
               std::vector<Seq> under_way)
    : remover_(queue, head),
      tail_(committed_tail),
      limits_(limits),
      under_way_(std::move(under_way)),
      read_next_(head.first),
      first_waiting_(head.first),
      // What a former run kept below its head is given back at the first occasion.
      kept_(head.first.value > 1 ? reclaim_every : 0) {}

void Uplink::tail(const store::QueueTail& committed) {
  if (committed.next >= tail_.next) tail_ = committed;
}

void Uplink::connected(const RemoteLimits& limits) {
  remote_ = limits;
  remote_.window = std::max<uint32_t>(1, limits.window);
  connected_ = true;
  paused_ = false;
  paused_until_ = Instant::never();
}

void Uplink::lost() {
  connected_ = false;
  paused_ = false;
  paused_until_ = Instant::never();
  for (Slot& slot : slots_) {
    if (slot.state != Slot::State::sent || slot.exactly_once) continue;
    slot.state = Slot::State::waiting;
    ++counters_.possible_duplicates;
    --in_flight_;
    ++waiting_;
    waiting_bytes_ += slot.bytes;
  }
  if (!slots_.empty()) first_waiting_ = slots_.front().seq;
}

Uplink::Slots::iterator Uplink::find_sent(Seq seq) {
  auto at = std::lower_bound(slots_.begin(), slots_.end(), seq, [](const Slot& s, Seq v) { return s.seq < v; });
  return at != slots_.end() && at->seq == seq && at->state == Slot::State::sent ? at : slots_.end();
}

Uplink::Slots::iterator Uplink::first_waiting() {
  auto at =
      std::lower_bound(slots_.begin(), slots_.end(), first_waiting_, [](const Slot& s, Seq v) { return s.seq < v; });
  while (at != slots_.end() && at->state != Slot::State::waiting) ++at;
  first_waiting_ = at == slots_.end() ? read_next_ : at->seq;
  return at;
}

void Uplink::finish(Slot& slot) {
  if (slot.state == Slot::State::sent) --in_flight_;
  if (slot.state == Slot::State::waiting) {
    --waiting_;
    waiting_bytes_ -= slot.bytes;
  }
  slot.state = Slot::State::done;
  slot.message.reset();
}

void Uplink::pop_done() {
  while (!slots_.empty() && slots_.front().state == Slot::State::done) {
    ++done_at_front_.messages;
    done_at_front_.bytes += slots_.front().bytes;
    slots_.pop_front();
  }
}

bool Uplink::acknowledged(Seq seq, store::Batch& batch) {
  auto slot = find_sent(seq);
  if (slot == slots_.end()) return false;
  ++counters_.delivered;
  counters_.delivered_bytes += slot->bytes;
  finish(*slot);
  if (slot->exactly_once) {
    remover_.remove(batch, seq, slot->bytes);
    slots_.erase(slot);
  }
  pop_done();
  return true;
}

void Uplink::session_lost(Seq seq) {
  if (find_sent(seq) == slots_.end()) return;
  ++counters_.possible_duplicates;
  send_failed(seq);
}

bool Uplink::rejected(Seq seq, int reason_code, const Now& now) {
  auto slot = find_sent(seq);
  if (slot == slots_.end()) return false;
  if (reason_code == quota_exceeded || reason_code == message_rate_too_high) {
    paused_ = true;
    paused_until_ = now.mono + pause_after_quota;
    send_failed(seq);
    return true;
  }
  ++counters_.rejected;
  finish(*slot);
  pop_done();
  return true;
}

void Uplink::send_failed(Seq seq) {
  auto slot = find_sent(seq);
  if (slot == slots_.end()) return;
  slot->state = Slot::State::waiting;
  slot->exactly_once = false;
  --in_flight_;
  ++waiting_;
  waiting_bytes_ += slot->bytes;
  first_waiting_ = std::min(first_waiting_, seq);
}

std::optional<Uplink::ReadRequest> Uplink::next_read() const {
  if (read_next_ >= tail_.next) return std::nullopt;
  // Sending needs at most a window at a time; with twice of it at hand the next read overlaps with the acknowledgements.
  const bool for_sending = connected_ && waiting_ < 2 * size_t{remote_.window} && waiting_bytes_ < read_limit.bytes_max;
  const bool for_dropping = waiting_ == 0 && over_limits();
  const bool for_status = slots_.empty();  // the age of the oldest
  const bool under_way = !under_way_.empty();
  if (!for_sending && !for_dropping && !for_status && !under_way) return std::nullopt;
  store::ReadLimit limit = read_limit;
  if (!for_sending && !for_dropping && !under_way) limit = {.messages_max = 1, .bytes_max = 1};
  return ReadRequest{read_next_, tail_.next, limit};
}

void Uplink::records(const ReadRequest& asked, std::vector<store::QueueRecord>& found) {
  for (store::QueueRecord& record : found) {
    if (record.seq < read_next_ || record.seq >= asked.end || !record.message) continue;
    Slot slot;
    slot.seq = record.seq;
    slot.bytes = counted_bytes(*record.message);
    slot.received = record.message->received;
    slot.message = std::move(record.message);
    if (std::binary_search(under_way_.begin(), under_way_.end(), slot.seq)) {
      slot.state = Slot::State::sent;
      slot.exactly_once = true;
      ++in_flight_;
    } else {
      waiting_bytes_ += slot.bytes;
      ++waiting_;
    }
    slots_.push_back(std::move(slot));
    read_next_ = Seq{record.seq.value + 1};
  }
  // Only an empty answer proves that there is no more: how a store counts bytes is its own affair.
  if (found.empty()) read_next_ = asked.end;
  std::erase_if(under_way_, [this](Seq seq) { return seq < read_next_; });
  found.clear();
}

std::optional<Uplink::Send> Uplink::next_send(const Now& now) {
  if (paused_ && now.mono < paused_until_) return std::nullopt;
  paused_ = false;
  paused_until_ = Instant::never();
  if (!connected_ || in_flight_ >= remote_.window) return std::nullopt;
  for (auto slot = first_waiting(); slot != slots_.end(); slot = first_waiting()) {
    if (slot->message->expires <= now.wall) {
      ++counters_.expired;
    } else if (packet_bytes(*slot->message) > remote_.max_packet_size) {
      ++counters_.too_large;
    } else {
      slot->state = Slot::State::sent;
      --waiting_;
      waiting_bytes_ -= slot->bytes;
      ++in_flight_;
      const Qos qos = lower(slot->message->qos, remote_.maximum_qos);
      slot->exactly_once = qos == Qos::exactly_once;
      return Send{slot->seq, slot->message, qos, slot->message->retain && remote_.retain_available};
    }
    finish(*slot);
    pop_done();
  }
  return std::nullopt;
}

bool Uplink::over_limits() const {
  store::QueueSize now = size();
  return now.messages > limits_.max_messages || now.bytes > limits_.max_bytes;
}

void Uplink::enforce_limits(store::Batch& batch) {
  while (over_limits()) {
    auto slot = first_waiting();
    if (slot == slots_.end()) return;
    ++counters_.queue_full;
    finish(*slot);
    if (slot == slots_.begin()) {
      pop_done();
    } else {
      remover_.remove(batch, slot->seq, slot->bytes);  // behind something in flight: out of turn
      slots_.erase(slot);
    }
  }
}

void Uplink::remove(store::Batch& batch) {
  const Seq end = front();
  uint64_t messages = done_at_front_.messages, bytes = done_at_front_.bytes;
  done_at_front_ = {};
  const store::QueueHead& head = remover_.head();
  if (end == tail_.next) {
    // The queue is empty, so all that ever came in is out: what is missing in the sum were records nobody could read.
    const uint64_t out = head.messages_out + messages, in = tail_.next.value - 1;
    counters_.unreadable += in > out ? in - out : 0;
    messages += in > out ? in - out : 0;
    const uint64_t bytes_out = head.bytes_out + bytes;
    bytes += tail_.bytes_in > bytes_out ? tail_.bytes_in - bytes_out : 0;
  }
  if (end > head.first) {
    const bool keep = tail_.bytes_in > head.bytes_out + keep_records_above_bytes;
    if (keep) kept_ += messages;
    remover_.remove_below(batch, end, messages, bytes, keep);
  }
  remover_.flush(batch);
}

std::optional<Seq> Uplink::begin_reclaim() {
  const bool empty = remover_.head().first == tail_.next;
  if (kept_ == 0 || (!empty && kept_ < reclaim_every)) return std::nullopt;
  kept_ = 0;
  return remover_.head().first;
}

store::QueueSize Uplink::size() const {
  store::QueueSize all = store::size_of(tail_, remover_.head());
  all.messages -= std::min(all.messages, done_at_front_.messages);
  all.bytes -= std::min(all.bytes, done_at_front_.bytes);
  return all;
}

bool Uplink::alarm() const {
  store::QueueSize now = size();
  return (limits_.max_messages != UINT64_MAX && above(now.messages, limits_.max_messages, limits_.alarm_percent)) ||
         (limits_.max_bytes != UINT64_MAX && above(now.bytes, limits_.max_bytes, limits_.alarm_percent));
}

WallTime Uplink::oldest() const {
  return slots_.empty() ? WallTime::never() : slots_.front().received;
}

}  // namespace tidegate::bridge
