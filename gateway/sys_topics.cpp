#include "gateway/sys_topics.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <utility>

#include "gateway/bridge_status.h"
#include "gateway/log/log.h"

namespace tidegate {

uint64_t heap_bytes() {
  struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

SysTopics::SysTopics(std::string version, Instant started) : started_(started), last_(started) {
  facts_.version = std::move(version);
  facts_.built = TIDEGATE_BUILT;
  set_heap_bytes(heap_bytes());
}

void SysTopics::set_heap_bytes(uint64_t bytes) {
  facts_.heap_bytes = bytes;
  facts_.heap_bytes_max = std::max(facts_.heap_bytes_max, bytes);
}

void SysTopics::publish(net::CoreLoop& loop, const Bridges& bridges, std::optional<Millis> interval) {
  if (!interval) {
    if (!published_.empty()) publish_as(loop.broker(), {});
    return;
  }
  Now now = read_clock();
  if (now.mono < next_) return;
  next_ = now.mono + *interval;
  gather(loop, loop.broker(), bridges, now);
  status::update(facts_.loads, facts_, now.mono - std::exchange(last_, now.mono));
  publish_as(loop.broker(), status::sys_values(facts_));
}

void SysTopics::gather(const net::CoreLoop& loop, const broker::Broker& broker, const Bridges& bridges, Now now) {
  facts_.uptime = std::chrono::duration_cast<Seconds>(now.mono - started_);
  facts_.counters = broker.counters();
  facts_.holdings = broker.holdings();
  facts_.sessions = broker.sessions();
  facts_.shared_subscriptions = broker.shared_subscriptions();
  facts_.subscriptions = broker.subscriptions() - facts_.shared_subscriptions;
  facts_.retained_messages = broker.retained().count();
  facts_.retained_bytes = broker.retained().bytes();
  facts_.bytes_received = loop.bytes_received();
  facts_.bytes_sent = loop.bytes_sent();
  facts_.sockets_opened = loop.connections_accepted();
  facts_.connections_refused = loop.connections_refused();
  const net::GuardCounts& guards = loop.guards().counts();
  facts_.refused_address = guards.not_allowed;
  facts_.refused_per_address = guards.too_many;
  facts_.refused_rate = guards.too_often;
  facts_.refused_silent = guards.gave_way;
  facts_.logins_failed = guards.logins_failed;
  facts_.logins_delayed = guards.logins_delayed;
  facts_.logins_refused = guards.logins_refused;
  facts_.log_lines_dropped = log::writer().dropped();
  facts_.inbound_dropped = bridges.qos0_dropped();
  facts_.bridges.clear();
  for (const bridge::BridgeStatus& status : bridges.statuses()) {
    facts_.bridges.push_back(facts_of(status, now.wall));
  }
}

void SysTopics::publish_as(broker::Broker& broker, status::TopicValues wanted) {
  for (const auto& [topic, value] : status::differences(published_, wanted)) broker.publish_own(topic, value);
  published_ = std::move(wanted);
}

}  // namespace tidegate
