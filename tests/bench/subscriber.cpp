#include "tests/bench/subscriber.h"

#include "tests/bench/stamp.h"

namespace bench {
namespace {

constexpr uint32_t publishers_max = 1'000'000;  // a stamp beyond is garbage

std::vector<std::string> filters_of(const LoadOptions& options, uint32_t index) {
  std::string base = options.sub_prefix + options.topic;
  if (options.pairs) return {base + "/p" + std::to_string(index) + "/#"};
  if (options.filters == 0) return {base + "/#"};
  std::vector<std::string> filters;
  for (uint32_t n = 0; n < options.filters; ++n) filters.push_back(base + "/+/dev/" + std::to_string(n) + "/#");
  return filters;
}

}  // namespace

Subscriber::Subscriber(Loop& loop, Traffic& traffic, const LoadOptions& options, uint32_t index)
    : options_(options),
      traffic_(traffic),
      filters_(filters_of(options, index)),
      client_(loop, *this,
              {{options.version, options.id + "-sub-" + std::to_string(index), !options.persistent}, options.path}),
      nothing_(options.first_sequence) {}

const Stream& Subscriber::stream(uint32_t publisher) const {
  return publisher < streams_.size() ? streams_[publisher] : nothing_;
}

void Subscriber::on_up(Client& client, const Connack& connack) {
  (void)connack;
  client.subscribe(filters_, options_.sub_qos);
}

void Subscriber::on_subscribed(Client& client) {
  (void)client;
  ++traffic_.ready;
}

void Subscriber::on_down(Client& client, const std::string& why) {
  ++traffic_.connections_lost;
  traffic_.lost_why = client.id() + ": " + why;
}

void Subscriber::on_publish(Client& client, const Publish& publish) {
  if (publish.qos == 2) {
    if (first_of_exactly_once(publish)) count(publish);
    client.acknowledge(PacketType::pubrec, publish.id);
    return;
  }
  count(publish);
  if (publish.qos == 1) client.acknowledge(PacketType::puback, publish.id);
}

bool Subscriber::first_of_exactly_once(const Publish& publish) {
  if (released_later_.empty()) released_later_.resize(65536);
  if (released_later_[publish.id]) return false;
  released_later_[publish.id] = true;
  return true;
}

void Subscriber::on_ack(Client& client, PacketType type, const Ack& ack) {
  if (type != PacketType::pubrel) return;
  if (!released_later_.empty()) released_later_[ack.id] = false;
  client.acknowledge(PacketType::pubcomp, ack.id);
}

void Subscriber::count(const Publish& publish) {
  auto stamp = read_stamp(publish.payload);
  bool ours = stamp && (options_.run == 0 || stamp->run == options_.run) && stamp->publisher < publishers_max;
  if (!ours) {
    ++traffic_.counts.foreign;
    return;
  }
  if (stamp->publisher >= streams_.size()) streams_.resize(stamp->publisher + 1U, Stream(options_.first_sequence));
  traffic_.last_arrival = Clock::now();
  if (traffic_.received_log) traffic_.received_log->add(stamp->publisher, stamp->sequence);
  Arrival arrival = streams_[stamp->publisher].add(stamp->sequence);
  if (arrival == Arrival::duplicate) {
    ++traffic_.counts.duplicated;
    return;
  }
  ++traffic_.counts.received;
  // Retained messages come in whatever order the broker keeps its topics.
  if (arrival == Arrival::late && !options_.retained) ++traffic_.counts.reordered;
  traffic_.latency.add(nanoseconds(traffic_.last_arrival.time_since_epoch()).count() - stamp->sent_at_ns);
}

}  // namespace bench
