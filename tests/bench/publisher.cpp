#include "tests/bench/publisher.h"

#include <algorithm>

#include "tests/bench/stamp.h"

namespace bench {
namespace {

std::vector<std::string> topics_of(const LoadOptions& options, uint32_t index) {
  std::string base = options.topic + "/p" + std::to_string(index);
  std::vector<std::string> topics;
  if (options.filters > 0) {
    for (uint32_t n = 0; n < options.filters; ++n) topics.push_back(base + "/dev/" + std::to_string(n) + "/value");
  } else if (options.topics > 1) {
    for (uint32_t n = 0; n < options.topics; ++n) topics.push_back(base + "/t" + std::to_string(n));
  } else {
    topics.push_back(base);
  }
  return topics;
}

uint64_t share(uint64_t messages, uint32_t publishers, uint32_t index) {
  return messages / publishers + (index < messages % publishers ? 1 : 0);
}

}  // namespace

Publisher::Publisher(Loop& loop, Traffic& traffic, const LoadOptions& options, uint32_t index)
    : options_(options),
      traffic_(traffic),
      index_(index),
      client_(loop, *this, {{options.version, options.id + "-pub-" + std::to_string(index)}, options.path}),
      next_sequence_(options.first_sequence),
      end_sequence_(options.seconds > 0 ? UINT64_MAX
                                        : options.first_sequence + share(options.messages, options.publishers, index)),
      payload_(options.payload_bytes, 'x'),
      topics_(topics_of(options, index)) {}

void Publisher::on_up(Client& client, const Connack& connack) {
  (void)client;
  ++traffic_.ready;
  if (options_.pub_qos == 0) return;
  auto window = static_cast<uint16_t>(std::min<uint32_t>(options_.window, connack.receive_maximum));
  sequence_of_id_.assign(window + 1U, 0);
  for (uint16_t id = 1; id <= window; ++id) free_ids_.push_back(id);
}

void Publisher::on_down(Client& client, const std::string& why) {
  ++traffic_.connections_lost;
  traffic_.lost_why = client.id() + ": " + why;
}

bool Publisher::has_more() const {
  return client_.up() && traffic_.publishing && next_sequence_ < end_sequence_;
}

bool Publisher::window_open() const {
  if (options_.pub_qos > 0 && free_ids_.empty()) return false;
  return options_.max_in_flight == 0 || traffic_.in_flight() < options_.max_in_flight;
}

Time Publisher::due(uint64_t sequence) const {
  if (options_.rate_per_s <= 0) return traffic_.start;
  // Message k of all is due k intervals after the start, and belongs to publisher k modulo their number.
  double k = static_cast<double>((sequence - options_.first_sequence) * options_.publishers + index_);
  return traffic_.start + nanoseconds(static_cast<int64_t>(k / options_.rate_per_s * 1e9));
}

Time Publisher::next_due() const {
  return has_more() && window_open() ? due(next_sequence_) : Time::max();
}

bool Publisher::pump(Time now) {
  if (client_.bytes_unsent() > 0) return false;
  while (has_more() && window_open() && due(next_sequence_) <= now) {
    send_one(now);
    if (client_.bytes_unsent() < options_.coalesce_bytes) continue;
    client_.flush();
    return client_.bytes_unsent() == 0;
  }
  client_.flush();
  return false;
}

void Publisher::send_one(Time now) {
  uint64_t sequence = next_sequence_++;
  PublishRequest request{topics_[sequence % topics_.size()], options_.pub_qos, options_.retain};
  if (options_.pub_qos > 0) {
    request.id = free_ids_.front();
    free_ids_.pop_front();
    sequence_of_id_[request.id] = sequence;
  }
  Time scheduled = options_.rate_per_s > 0 ? due(sequence) : now;
  traffic_.lateness.add(nanoseconds(now - scheduled).count());
  write_stamp(payload_, Stamp{.run = options_.run,
                              .publisher = index_,
                              .sequence = sequence,
                              .sent_at_ns = nanoseconds(scheduled.time_since_epoch()).count()});
  client_.publish(request, payload_);
  ++traffic_.sent;
}

void Publisher::on_ack(Client& client, PacketType type, const Ack& ack) {
  bool known = ack.id < sequence_of_id_.size() && sequence_of_id_[ack.id] != 0;
  if (!known) return;
  if (ack.reason >= 0x80) return finish(ack.id, true);
  bool last = type == (options_.pub_qos == 1 ? PacketType::puback : PacketType::pubcomp);
  if (last) return finish(ack.id, false);
  if (type == PacketType::pubrec) client.acknowledge(PacketType::pubrel, ack.id);
}

void Publisher::finish(uint16_t id, bool refused) {
  uint64_t sequence = sequence_of_id_[id];
  sequence_of_id_[id] = 0;
  free_ids_.push_back(id);
  traffic_.last_ack = Clock::now();
  if (refused) {
    ++traffic_.refused;
    refused_.insert(sequence);
    return;
  }
  ++traffic_.acknowledged;
  if (traffic_.acked_log) traffic_.acked_log->add(index_, sequence);
}

bool Publisher::done() const {
  if (!client_.up()) return true;
  if (has_more() || client_.bytes_unsent() > 0) return false;
  return options_.pub_qos == 0 || free_ids_.size() + 1 == sequence_of_id_.size();
}

std::set<uint64_t> Publisher::open_sequences() const {
  std::set<uint64_t> open = refused_;
  for (uint64_t sequence : sequence_of_id_) {
    if (sequence != 0) open.insert(sequence);
  }
  return open;
}

}  // namespace bench
