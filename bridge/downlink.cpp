#include "bridge/downlink.h"

namespace tidegate::bridge {
namespace {

// Other bridges stand still while a link's callback waits for the disk; then the message is left to come again.
constexpr Millis disk_wait_max{2000};

}  // namespace

Downlink::Downlink(BridgeId bridge, const TopicMap& map, QueueId inbox, const store::QueueTail& tail,
                   store::Committer& committer, BridgeHost& host)
    : bridge_(bridge), map_(map), committer_(committer), host_(host), inbox_(inbox, tail) {}

bool Downlink::message(Message remote, const Now& now) {
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
  auto local = std::make_shared<const Message>(std::move(remote));
  Seq seq{};
  if (durable) {
    Ticket ticket;
    {
      std::lock_guard lock(mutex_);
      seq = inbox_.append(batch_, store::view_of(*local));
      inbox_.flush(batch_);
      ticket = committer_.submit(batch_);
    }
    if (!committer_.wait(ticket, disk_wait_max)) {
      ++not_stored_;
      return false;
    }
  }
  ++received_;
  host_.inbound(bridge_, std::move(local), inbox_.id(), seq);
  return true;
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
