#include "bridge/downlink.h"

namespace tidegate::bridge {
namespace {

// Other bridges stand still while a link's callback waits for the disk; then the message is left to come again.
constexpr Millis disk_wait_max{2000};

}  // namespace

Downlink::Downlink(BridgeId bridge, const TopicMap& map, QueueId inbox, const store::QueueTail& tail,
                   Exchanges& exchanges, store::Committer& committer, BridgeHost& host)
    : bridge_(bridge), map_(map), exchanges_(exchanges), committer_(committer), host_(host), inbox_(inbox, tail) {}

bool Downlink::message(Message remote, PacketId packet_id, const Now& now) {
  if (packet_id != 0 && exchanges_.is_received(packet_id)) {
    auto stored = repeated(packet_id);
    return !stored || hand_over(*stored, packet_id);
  }
  auto target = map_.map_in(remote.topic);
  if (!target) {
    ++no_local_topic_;
    return true;
  }
  if (target->both && is_echo(remote, now)) {
    ++echo_count_;
    return true;
  }
  const bool durable = remote.qos != Qos::at_most_once;
  if (durable && committer_.health().state != store::Health::State::ok) {
    ++not_stored_;
    return false;
  }
  remote.topic = std::move(target->topic);
  if (target->clear_retain) remote.retain = false;
  remote.received = now.wall;
  remote.from_bridge = bridge_;
  if (durable) return hand_over(store(std::move(remote), packet_id), packet_id);
  ++received_;
  host_.inbound(bridge_, std::make_shared<const Message>(std::move(remote)), inbox_.id(), Seq{});
  return true;
}

Downlink::Stored Downlink::store(Message local, PacketId packet_id) {
  Stored stored{std::make_shared<const Message>(std::move(local))};
  std::lock_guard lock(mutex_);
  stored.seq = inbox_.append(batch_, store::view_of(*stored.message));
  inbox_.flush(batch_);
  if (packet_id != 0) exchanges_.receive(packet_id, batch_);
  stored.ticket = committer_.submit(batch_);
  if (packet_id != 0) not_handed_over_.insert_or_assign(packet_id, stored);
  return stored;
}

bool Downlink::hand_over(const Stored& stored, PacketId packet_id) {
  if (!committer_.wait(stored.ticket, disk_wait_max)) {
    ++not_stored_;
    return false;
  }
  if (packet_id != 0) {
    std::lock_guard lock(mutex_);
    not_handed_over_.erase(packet_id);
  }
  ++received_;
  host_.inbound(bridge_, stored.message, inbox_.id(), stored.seq);
  return true;
}

std::optional<Downlink::Stored> Downlink::repeated(PacketId packet_id) {
  std::lock_guard lock(mutex_);
  auto at = not_handed_over_.find(packet_id);
  return at == not_handed_over_.end() ? std::nullopt : std::optional(at->second);
}

bool Downlink::is_echo(const Message& remote, const Now& now) {
  if (!watching_) return false;
  std::lock_guard lock(echo_mutex_);
  return echoes_.take(remote.topic, remote.payload, now.mono);
}

void Downlink::watch_echoes(bool on) {
  watching_ = on;
}

void Downlink::sent(const Message& remote, const Now& now) {
  if (!watching_) return;
  auto back = map_.map_in(remote.topic);
  if (!back || !back->both) return;
  std::lock_guard lock(echo_mutex_);
  echoes_.sent(remote.topic, remote.payload, now.mono);
}

store::QueueTail Downlink::tail() const {
  std::lock_guard lock(mutex_);
  return inbox_.tail();
}

Downlink::Counters Downlink::counters() const {
  return {received_, echo_count_, no_local_topic_, not_stored_};
}

}  // namespace tidegate::bridge
