#include "tests/sim/sim_subscriber.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "gateway/mqtt/decode.h"

namespace tidegate::sim {

using mqtt::PacketType;

SimSubscriber::SimSubscriber(test::BrokerHarness& harness, Random& random, const Ledgers& ledgers, Traits traits)
    : harness_(harness),
      random_(random),
      ledgers_(ledgers),
      traits_(std::move(traits)),
      filter_(*TopicFilter::parse(std::string_view(traits_.filter).substr(is_shared() ? std::strlen("$share/g/") : 0))),
      client_(harness.newcomer(traits_.id)) {}

void SimSubscriber::connect() {
  accepted_ = false;
  std::string properties;
  if (traits_.version == test::v5) {
    if (traits_.kept) properties += test::session_expiry(test::forever);
    if (random_.one_in(2)) properties += test::receive_maximum(static_cast<uint32_t>(1 + random_.below(5)));
  }
  // What was received on the old connection may be answered on the new one.
  if (!traits_.kept || !random_.one_in(3)) answers_.clear();
  bool ends_session = traits_.leaves && random_.one_in(3);
  if (ends_session) subscribed_ = false;
  client_.connect({.version = traits_.version, .clean = !traits_.kept || ends_session, .properties = properties});
}

void SimSubscriber::lose() {
  client_.lose();
}

void SimSubscriber::broker_stopped() {
  accepted_ = false;
  answers_.clear();  // a new broker has given the ids to others
}

void SimSubscriber::read() {
  for (const std::string& bytes : client_.packets()) {
    auto packet = mqtt::decode(mqtt::frame(bytes, bytes.size()), traits_.version);
    ASSERT_TRUE(packet) << packet.error().what;
    if (auto* connack = std::get_if<mqtt::Connack>(&*packet)) {
      accepted(*connack);
      continue;
    }
    ASSERT_TRUE(accepted_) << traits_.id << ": a packet before CONNACK";
    if (auto* suback = std::get_if<mqtt::Suback>(&*packet)) {
      subscribed_ = suback->codes == std::string(1, static_cast<char>(traits_.qos));
      ASSERT_TRUE(subscribed_ || traits_.leaves);  // the store may refuse it: it comes again
      if (!subscribed_) return client_.lose();
    } else if (auto* publish = std::get_if<mqtt::Publish>(&*packet)) {
      received(*publish);
    } else if (auto* ack = std::get_if<mqtt::Ack>(&*packet)) {
      ASSERT_EQ(ack->type, PacketType::pubrel) << test::describe(*packet);
      qos2_ids_.erase(ack->packet_id);
      answers_.push_back({PacketType::pubcomp, ack->packet_id});
    } else if (!std::get_if<mqtt::Disconnect>(&*packet)) {
      ADD_FAILURE() << traits_.id << " got " << test::describe(*packet);
    }
  }
}

void SimSubscriber::accepted(const mqtt::Connack& connack) {
  ASSERT_FALSE(accepted_);
  if (is_refused_for_store(connack, traits_.version)) return;
  ASSERT_EQ(connack.code, 0);
  accepted_ = true;
  if (traits_.kept && subscribed_) {
    if (traits_.version != test::v3) {
      ASSERT_TRUE(connack.session_present) << traits_.id << " lost its session";
    }
    return;
  }
  if (!connack.session_present) qos2_ids_.clear();
  if (!traits_.leaves) seen_.clear();
  client_.subscribe(traits_.filter, traits_.qos, {.retain_handling = mqtt::RetainHandling::never});
}

void SimSubscriber::received(const mqtt::Publish& publish) {
  if (publish.qos == Qos::exactly_once) {
    answers_.push_back({PacketType::pubrec, publish.packet_id});
    if (!qos2_ids_.insert(publish.packet_id).second) return;  // a repeat (4.3.3)
  } else if (publish.qos == Qos::at_least_once) {
    answers_.push_back({PacketType::puback, publish.packet_id});
  }
  if (publish.qos != Qos::at_most_once && publish.topic.starts_with("p") && !publish.retain) note(publish);
}

void SimSubscriber::note(const mqtt::Publish& publish) {
  std::string payload(publish.payload);
  int sent_qos = std::stoi(payload), number = std::stoi(payload.substr(2));
  Seen& seen = seen_[std::string(publish.topic)];
  if (seen.numbers.insert(number).second) {
    // Who came late may see a new message first and then an old one again, if that was sent with QoS 1.
    if (is_shared()) return;  // 4.6: and what is published again may reach another member first
    if (!traits_.kept && !(publish.topic.ends_with("/b") && !publish.topic.ends_with("/a/b"))) return;
    if (ledgers_.find(publish.topic)->second.may_reorder) return;
    EXPECT_GT(number, seen.newest) << traits_.id << ": " << publish.topic << " out of order";
    seen.newest = std::max(seen.newest, number);
  } else if (publish.qos == Qos::exactly_once && traits_.kept && !traits_.leaves) {
    EXPECT_NE(sent_qos, 2) << traits_.id << ": " << publish.topic << " " << number << " came twice";
  }
}

bool SimSubscriber::has_seen(const std::string& topic, int number) const {
  auto seen = seen_.find(topic);
  return seen != seen_.end() && seen->second.numbers.contains(number);
}

void SimSubscriber::answer(size_t packets_max) {
  if (!is_ready()) return;
  for (; packets_max > 0 && !answers_.empty(); --packets_max) {
    auto next = answers_.begin() + static_cast<ptrdiff_t>(random_.one_in(4) ? random_.below(answers_.size()) : 0);
    Answer answer = *next;
    answers_.erase(next);
    client_.ack(answer.type, answer.id);
  }
}

void SimSubscriber::expect_all() const {
  if (!traits_.kept || is_shared()) return;
  for (const auto& [topic, ledger] : ledgers_) {
    if (!filter_.matches(*TopicName::parse(topic))) continue;
    auto seen = seen_.find(topic);
    for (auto [number, qos] : ledger.taken) {
      EXPECT_TRUE(seen != seen_.end() && seen->second.numbers.contains(number))
          << traits_.id << ": " << topic << " " << number << " of QoS " << qos << " was acknowledged and is lost";
    }
  }
}

}  // namespace tidegate::sim
