#include "tests/sim/sim_publisher.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gateway/mqtt/decode.h"

namespace tidegate::sim {

using mqtt::PacketType;

SimPublisher::SimPublisher(test::BrokerHarness& harness, Random& random, Ledgers& ledgers, std::string id,
                           mqtt::Version version)
    : harness_(harness),
      random_(random),
      ledgers_(ledgers),
      client_(harness.newcomer(std::move(id))),
      version_(version) {
  for (const char* topic : {"/a", "/b", "/a/b"}) ledgers_[client_.id() + topic];
}

void SimPublisher::store_refuses() {
  if (version_ != test::v5) return;
  for (auto& [topic, ledger] : ledgers_) ledger.may_reorder |= topic.starts_with(client_.id() + "/");
}

void SimPublisher::connect() {
  accepted_ = false;
  client_.connect({.version = version_,
                   .clean = false,
                   .properties = version_ == test::v5 ? test::session_expiry(test::forever) : std::string()});
}

void SimPublisher::publish() {
  if (!is_ready() || pending_.size() >= 8) return;
  static constexpr const char* topics[] = {"/a", "/b", "/a/b"};
  size_t topic = random_.below(3);
  Pending message;
  message.topic = client_.id() + topics[topic];
  message.number = ledgers_[message.topic].next++;
  // Retained only where all have one QoS: a QoS 1 message that comes again after a newer one of QoS 2, which does not,
  // is retained in its place, and must be.
  message.qos = topic == 2 ? static_cast<int>(random_.below(3)) : random_.one_in(3) ? 0 : static_cast<int>(topic + 1);
  message.retain = message.qos > 0 && topic != 2 && random_.one_in(6);
  if (message.qos > 0) {
    do {
      if (++last_id_ > 40) last_id_ = 1;  // ids are used again soon
    } while (std::any_of(pending_.begin(), pending_.end(), [&](const Pending& p) { return p.id == last_id_; }));
    message.id = last_id_;
    pending_.push_back(message);
  }
  send(message, false);
}

void SimPublisher::send(const Pending& message, bool dup) {
  client_.publish(message.topic, std::to_string(message.qos) + " " + std::to_string(message.number),
                  {.qos = message.qos, .id = message.id, .retain = message.retain, .dup = dup});
}

void SimPublisher::read() {
  for (const std::string& bytes : client_.packets()) {
    auto packet = mqtt::decode(mqtt::frame(bytes, bytes.size()), version_);
    ASSERT_TRUE(packet) << packet.error().what;
    if (auto* connack = std::get_if<mqtt::Connack>(&*packet)) {
      accepted(*connack);
    } else if (auto* ack = std::get_if<mqtt::Ack>(&*packet)) {
      ASSERT_TRUE(accepted_) << client_.id() << ": a packet before CONNACK";
      answered(*ack);
    } else if (!std::get_if<mqtt::Disconnect>(&*packet)) {
      ADD_FAILURE() << client_.id() << " got " << test::describe(*packet);
    }
  }
}

void SimPublisher::accepted(const mqtt::Connack& connack) {
  ASSERT_FALSE(accepted_);
  if (is_refused_for_store(connack, version_)) return;
  ASSERT_EQ(connack.code, 0);
  if (has_session_ && version_ != test::v3) {
    EXPECT_TRUE(connack.session_present) << client_.id() << " lost its session";
  }
  accepted_ = has_session_ = true;
  for (const Pending& message : std::deque<Pending>(pending_)) {  // [MQTT-4.4.0-1]
    if (message.received) {
      client_.pubrel(message.id);
    } else {
      send(message, true);
    }
  }
}

void SimPublisher::answered(const mqtt::Ack& ack) {
  auto message =
      std::find_if(pending_.begin(), pending_.end(), [&](const Pending& p) { return p.id == ack.packet_id; });
  ASSERT_NE(message, pending_.end()) << client_.id() << " got " << test::describe(ack) << " for nothing";
  switch (ack.type) {
    case PacketType::puback:
      ASSERT_EQ(message->qos, 1);
      take(*message, ack.reason);
      pending_.erase(message);
      break;
    case PacketType::pubrec:
      ASSERT_EQ(message->qos, 2);
      if (!message->received) take(*message, ack.reason);
      message->received = true;
      if (mqtt::is_error(ack.reason)) {
        pending_.erase(message);
      } else {
        client_.pubrel(ack.packet_id);
      }
      break;
    case PacketType::pubcomp:
      ASSERT_TRUE(message->received);
      pending_.erase(message);
      break;
    default: ADD_FAILURE() << test::describe(ack);
  }
}

void SimPublisher::take(const Pending& message, mqtt::ReasonCode reason) {
  Ledger& ledger = ledgers_[message.topic];
  if (mqtt::is_error(reason)) {
    ledger.refused.insert(message.number);
    return;
  }
  ledger.taken[message.number] = message.qos;
  if (message.retain) ledger.retained = std::max(ledger.retained, message.number);
}

}  // namespace tidegate::sim
