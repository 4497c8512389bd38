// What a client has asked not to be overrun by: Receive Maximum (3.1.2.11.3), Maximum Packet Size (3.1.2.11.4), Topic
// Alias Maximum (3.1.2.11.5); and no packet id is used for two messages at once [MQTT-2.2.1-3].
#pragma once

#include "tests/sim/checker.h"

namespace tidegate::sim {

class Limits : public Checker {
 public:
  using Checker::Checker;

  void received(Session& session, const mqtt::Packet& packet, size_t bytes) override {
    const Link& link = *session.link;
    if (link.wishes.packet_bytes_max != 0 && bytes > link.wishes.packet_bytes_max) {
      world_.fault("limits: " + session.id + " got a packet of " + std::to_string(bytes) + " bytes");
    }
    const auto* publish = std::get_if<mqtt::Publish>(&packet);
    if (!publish) return;
    auto alias = publish->properties.integer(mqtt::PropertyId::topic_alias);
    if (alias && (*alias == 0 || *alias > link.wishes.topic_alias_maximum)) {
      world_.fault("limits: " + session.id + " got topic alias " + std::to_string(*alias));
    }
    if (publish->qos == Qos::at_most_once) return;
    if (link.unanswered.contains(publish->packet_id)) {
      world_.fault("limits: " + session.id + " got packet id " + std::to_string(publish->packet_id) + " twice");
    }
    if (link.answered_early) return;
    if (link.unanswered.size() >= std::min(link.wishes.receive_maximum, world_.h.limits.inflight_messages_max)) {
      world_.fault("limits: " + session.id + " got more than its Receive Maximum");
    }
  }
};

}  // namespace tidegate::sim
