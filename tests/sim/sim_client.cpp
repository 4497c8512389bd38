#include "tests/sim/sim_client.h"

#include <algorithm>

#include "gateway/mqtt/decode.h"
#include "tests/sim/topic_rules.h"

namespace tidegate::sim {
namespace {

using mqtt::PacketType;
using mqtt::PropertyId;

constexpr const char* topics[] = {"s/a", "s/b", "s/a/b", "s/b/c", "s/a/b/c"};
constexpr const char* filters[] = {"#", "s/#", "s/a", "s/+", "s/a/#", "s/+/b", "w/#", "s/a/b/+", "+/b", "+/+/#"};
// In groups k only sessions that are kept are members.
constexpr const char* groups[] = {"$share/k/s/#", "$share/g/s/#", "$share/g/s/a", "$share/k/s/+", "$share/g/w/#"};

uint32_t id_of_group(const std::string& filter) {
  return static_cast<uint32_t>(1000 + (std::find(std::begin(groups), std::end(groups), filter) - std::begin(groups)));
}

constexpr uint32_t expiries[] = {0, 5, 40, test::forever};

}  // namespace

SimClient::SimClient(World& world, Judge& judge, Random& random, std::string id, mqtt::Version version, bool is_steady)
    : world_(world),
      judge_(judge),
      random_(random),
      client_(world.h.newcomer(std::move(id))),
      version_(version),
      is_steady_(is_steady),
      only_group_(version != test::v5 && random.one_in(3) ? groups[random.below(std::size(groups))] : nullptr) {}

bool SimClient::is_kept() const {
  const Session* session = world_.find(client_.id());
  return session && session->kept && session->expiry > 0;
}

// --- connections ----------------------------------------------------------------------------------------

Wishes SimClient::any_wishes() {
  Wishes wishes;
  wishes.version = version_;
  wishes.clean = judge_.must_begin_anew(client_.id()) || random_.one_in(is_steady_ ? 12 : 4);
  wishes.session_expiry = is_steady_ ? test::forever : expiries[random_.below(4)];
  if (version_ != test::v5) {
    wishes.clean |= !is_steady_ && random_.one_in(3);
    if (is_steady_ && wishes.clean && !judge_.must_begin_anew(client_.id())) wishes.clean = false;
    wishes.session_expiry = wishes.clean ? 0 : test::forever;
  }
  if (random_.one_in(3)) wishes.keep_alive = static_cast<uint16_t>(5 + random_.below(20));
  if (random_.one_in(3)) wishes.will = &any_will();
  if (version_ != test::v5) return wishes;
  if (random_.one_in(2)) wishes.receive_maximum = static_cast<uint32_t>(1 + random_.below(5));
  if (random_.one_in(6)) wishes.packet_bytes_max = 80;
  if (random_.one_in(2)) wishes.topic_alias_maximum = static_cast<uint32_t>(1 + random_.below(3));
  if (random_.one_in(2)) wishes.will_delay = static_cast<uint32_t>(random_.below(30));
  return wishes;
}

Message& SimClient::any_will() {
  Message& will = any_message();
  will.topic = "w/" + client_.id() + "/" + std::to_string(random_.below(4));
  will.is_will = true;
  if (will.payload.empty()) will.payload = std::to_string(world_.messages.size());
  return will;
}

void SimClient::connect() {
  if (!accepted_) cut();  // it has one CONNECT under way, and no two
  Wishes wishes = any_wishes();
  test::ConnectOptions options{.version = version_, .clean = wishes.clean, .keep_alive = wishes.keep_alive};
  if (const Message* will = wishes.will) {
    options.will = test::WillOptions{will->topic, will->payload, will->qos, will->retain, properties_of(*will)};
    if (wishes.will_delay > 0)
      options.will->properties += test::prop(PropertyId::will_delay_interval, wishes.will_delay);
  }
  if (version_ == test::v5) {
    if (wishes.session_expiry > 0) options.properties += test::session_expiry(wishes.session_expiry);
    if (wishes.receive_maximum < 65535) options.properties += test::receive_maximum(wishes.receive_maximum);
    if (wishes.packet_bytes_max > 0) {
      options.properties += test::prop(PropertyId::maximum_packet_size, wishes.packet_bytes_max);
    }
    if (wishes.topic_alias_maximum > 0) {
      options.properties += test::prop(PropertyId::topic_alias_maximum, wishes.topic_alias_maximum);
    }
  }
  // What was received on the old connection may be answered on the new one.
  if (wishes.clean || !random_.one_in(3)) answers_.clear();
  accepted_ = asking_ = false;
  aliases_.clear();
  judge_.will_connect(client_.id(), wishes);
  client_.connect(options);
}

void SimClient::cut() {
  judge_.will_cut(client_.id());
  client_.lose();
  accepted_ = false;
}

void SimClient::broker_stopped() {
  accepted_ = false;
  answers_.clear();  // a new broker has given the ids to others
}

void SimClient::say_goodbye() {
  mqtt::Disconnect packet;
  std::optional<uint32_t> new_expiry;
  std::string properties;
  if (version_ == test::v5) {
    if (random_.one_in(3)) packet.reason = mqtt::ReasonCode::disconnect_with_will;
    if (is_kept() && !is_steady_ && random_.one_in(3)) {
      new_expiry = expiries[random_.below(4)];
      properties = test::session_expiry(*new_expiry);
    }
  }
  judge_.will_say_goodbye(client_.id(), packet, new_expiry);
  client_.disconnect(packet.reason, properties);
  accepted_ = false;
}

void SimClient::accepted(const mqtt::Connack& connack) {
  accepted_ = true;
  const Session* session = world_.find(client_.id());
  if (!session || !session->link) return;  // a fault that is told already
  bool present = version_ == test::v3 ? session->link->session_present : connack.session_present;
  // Present may be one that it has not heard of: its CONNACK was lost.
  if (!present || session->serial != session_) {
    pending_.clear();
    answers_.clear();
  }
  session_ = session->serial;
  for (const Pending& pending : std::deque<Pending>(pending_)) {  // [MQTT-4.4.0-1]
    if (pending.received) {
      acknowledge(PacketType::pubrel, pending.id);
    } else {
      send(pending, true);
    }
  }
}

// --- what it does ---------------------------------------------------------------------------------------

void SimClient::act() {
  if (!client_.is_open()) return connect();
  if (!is_ready()) return random_.one_in(10) ? cut() : void();
  size_t dice = random_.below(100);
  if (dice < 40) {
    publish();
  } else if (dice < 68) {
    answer(1 + random_.below(4));
  } else if (dice < 82) {
    subscribe();
  } else if (dice < 86) {
    unsubscribe();
  } else if (dice < 91) {
    client_.ping();
    judge_.has_sent(client_);
  } else if (dice < 95) {
    cut();
  } else if (dice < 97) {
    say_goodbye();
  } else {
    connect();  // takes itself over
  }
}

Message& SimClient::any_message() {
  Message& message = world_.messages.emplace_back();
  message.publisher = client_.id();
  message.topic = topics[random_.below(std::size(topics))];
  message.qos = static_cast<int>(random_.below(3));
  message.retain = random_.one_in(5);
  message.payload = std::to_string(world_.messages.size());
  if (random_.one_in(15)) message.payload.append(100, 'x');
  if (message.retain && random_.one_in(4)) message.payload.clear();
  if (version_ != test::v5) return message;
  if (random_.one_in(3)) message.note = "note" + message.payload.substr(0, 5);
  if (random_.one_in(4)) message.expiry_seconds = static_cast<uint32_t>(1 + random_.below(20));
  return message;
}

std::string SimClient::properties_of(const Message& message) const {
  std::string properties;
  if (!message.note.empty()) mqtt::PropertyWriter(properties).user("n", message.note);
  if (message.expiry_seconds) properties += test::message_expiry(*message.expiry_seconds);
  return properties;
}

uint16_t SimClient::any_packet_id() {
  auto is_used = [&] {
    return std::any_of(pending_.begin(), pending_.end(), [&](const Pending& p) { return p.id == last_id_; });
  };
  do {
    if (++last_id_ > 40) last_id_ = 1;  // ids are used again soon
  } while (is_used());
  return last_id_;
}

void SimClient::publish() {
  Message& message = any_message();
  if (message.qos == 0) return send({0, &message}, false);
  if (pending_.size() >= 6) return;
  pending_.push_back({any_packet_id(), &message});
  send(pending_.back(), false);
}

void SimClient::send(const Pending& pending, bool dup) {
  const Message& message = *pending.message;
  std::string properties = properties_of(message), topic = message.topic;
  if (version_ == test::v5 && !dup && random_.one_in(3)) {
    auto [alias, is_new] = aliases_.try_emplace(topic, static_cast<uint32_t>(aliases_.size() + 1));
    properties += test::prop(PropertyId::topic_alias, alias->second);
    if (!is_new) topic.clear();
  }
  judge_.will_publish(client_.id(), pending.id, *pending.message);
  client_.publish(topic, message.payload,
                  {.qos = message.qos,
                   .id = pending.id,
                   .retain = message.retain,
                   .dup = dup && message.qos > 0,
                   .properties = properties});
  judge_.has_sent(client_);
}

// Copies of a message that come by several subscriptions have to be told apart: a group's by its subscription identifier,
// or by there being no other subscription.
const char* SimClient::any_filter() {
  if (only_group_) return only_group_;
  if (version_ != test::v5 || !random_.one_in(4)) return filters[random_.below(std::size(filters))];
  return groups[random_.below(std::size(groups))];
}

void SimClient::subscribe() {
  std::string filter = any_filter();
  if (filter.starts_with("$share/k/") && !is_kept()) return;
  Subscription subscription;
  subscription.qos = static_cast<int>(random_.below(3));
  if (is_of_group(filter) && !random_.one_in(8)) subscription.qos = static_cast<int>(1 + random_.below(2));
  if (version_ == test::v5) {
    subscription.no_local = !is_of_group(filter) && random_.one_in(4);  // [MQTT-3.8.3-4]
    subscription.retain_as_published = random_.one_in(2);
    subscription.retain_handling = mqtt::RetainHandling(random_.below(3));
    if (random_.one_in(2)) subscription.id = static_cast<uint32_t>(1 + random_.below(200));
    if (is_of_group(filter)) subscription.id = id_of_group(filter);
  }
  subscribe(filter, subscription);
}

void SimClient::subscribe(const std::string& filter, const Subscription& s) {
  if (asking_) return;
  asking_ = true;
  client_.subscribe(filter, s.qos,
                    {.no_local = s.no_local,
                     .retain_as_published = s.retain_as_published,
                     .retain_handling = s.retain_handling,
                     .subscription_id = s.id,
                     .id = any_packet_id()});
  judge_.has_sent(client_);
}

void SimClient::unsubscribe() {
  if (asking_) return;
  asking_ = true;
  client_.unsubscribe(any_filter(), any_packet_id());
  judge_.has_sent(client_);
}

void SimClient::answer(size_t packets_max) {
  for (; packets_max > 0 && !answers_.empty() && is_ready(); --packets_max) {
    auto next = answers_.begin() + static_cast<ptrdiff_t>(random_.one_in(4) ? random_.below(answers_.size()) : 0);
    Answer answer = *next;
    answers_.erase(next);
    acknowledge(answer.type, answer.id);
  }
}

void SimClient::acknowledge(mqtt::PacketType type, uint16_t id) {
  client_.ack(type, id);
  judge_.has_sent(client_);
}

// --- what it gets ---------------------------------------------------------------------------------------

bool SimClient::read() {
  if (!client_.is_open()) {
    accepted_ = false;
    return false;
  }
  std::vector<std::string> packets = client_.packets();
  for (const std::string& bytes : packets) {
    auto packet = mqtt::decode(mqtt::frame(bytes, bytes.size()), version_);
    if (!packet) {
      world_.fault("codec: " + client_.id() + " got what is no packet: " + std::string(packet.error().what));
      return false;
    }
    judge_.received(client_.id(), *packet, bytes.size());
    read(*packet);
  }
  judge_.has_read(client_);
  return !packets.empty();
}

void SimClient::read(const mqtt::Packet& packet) {
  if (auto* connack = std::get_if<mqtt::Connack>(&packet)) {
    accepted(*connack);
  } else if (std::holds_alternative<mqtt::Suback>(packet)) {
    asking_ = false;
  } else if (auto* publish = std::get_if<mqtt::Publish>(&packet)) {
    if (publish->qos == Qos::at_least_once) answers_.push_back({PacketType::puback, publish->packet_id});
    if (publish->qos == Qos::exactly_once) answers_.push_back({PacketType::pubrec, publish->packet_id});
  } else if (auto* ack = std::get_if<mqtt::Ack>(&packet)) {
    answered(*ack);
  }
}

void SimClient::answered(const mqtt::Ack& ack) {
  if (ack.type == PacketType::pubrel) {
    return answers_.push_back({PacketType::pubcomp, ack.packet_id});
  }
  auto pending =
      std::find_if(pending_.begin(), pending_.end(), [&](const Pending& p) { return p.id == ack.packet_id; });
  if (pending == pending_.end()) return world_.fault("delivery: " + client_.id() + " is told " + test::describe(ack));
  if (ack.type == PacketType::pubrec && !mqtt::is_error(ack.reason)) {
    pending->received = true;
    return acknowledge(PacketType::pubrel, ack.packet_id);
  }
  pending_.erase(pending);
}

}  // namespace tidegate::sim
