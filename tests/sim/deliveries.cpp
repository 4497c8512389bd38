#include "tests/sim/deliveries.h"

#include <algorithm>
#include <utility>

#include "tests/sim/topic_rules.h"

namespace tidegate::sim {
namespace {

// The one copy that all matching subscriptions of the session come to.
std::optional<Owed> entitled(const Session& session, const Take& take) {
  const Message& message = take.message;
  Owed owed;
  bool matched = false;
  for (const auto& [filter, subscription] : session.subscriptions) {
    if (is_of_group(filter) || !matches(filter, message.topic)) continue;
    if (subscription.no_local && message.publisher == session.id) continue;
    matched = true;
    owed.qos = std::max(owed.qos, subscription.qos);
    owed.retain |= subscription.retain_as_published && message.retain;
    if (subscription.id != 0) owed.subscription_ids.insert(subscription.id);
  }
  owed.qos = std::min(owed.qos, message.qos);
  if (!matched || (!session.link && (owed.qos == 0 || !session.kept))) return {};
  owed.message = &message;
  owed.place = take.place;
  owed.expires = take.expires;
  owed.since_link = session.links;
  owed.required = !(is_large(message) && session.spares_large) && !is_clearing(message) &&
                  !(owed.qos == 0 && session.link->abandoned);
  return owed;
}

bool is_in_form(const Owed& owed, const mqtt::Publish& packet) {
  return owed.qos == static_cast<int>(packet.qos) && owed.retain == packet.retain &&
         owed.subscription_ids == subscription_ids(packet);
}

}  // namespace

std::set<uint32_t> subscription_ids(const mqtt::Publish& packet) {
  std::set<uint32_t> ids;
  std::string_view rest = packet.properties.wire();
  for (mqtt::Properties::Item item; mqtt::Properties::next(rest, item);) {
    if (item.id == mqtt::PropertyId::subscription_identifier) ids.insert(item.number);
  }
  return ids;
}

std::string words(const Message& message) {
  return message.topic + "=" + message.payload.substr(0, 6) + " of " + message.publisher + ", QoS " +
         std::to_string(message.qos) + (message.is_will ? ", its will" : "");
}

void Deliveries::connected(Session& session) {
  if (session.link->wishes.packet_bytes_max == 0) return;
  session.spares_large = true;
  for (Owed& owed : session.owed) {
    if (is_large(*owed.message)) owed.required = owed.by_all_takes = false;
  }
}

void Deliveries::disconnected(Session& session) {
  std::erase_if(session.owed, [](const Owed& owed) { return owed.qos == 0; });
}

void Deliveries::taken(const Take& take) {
  for (auto& [id, session] : world_.sessions) owe(session, take);
}

// After a crash nobody knows whether the take before has lasted. If it has, the copy owed then is still owed, and QoS 2
// adds none; if it has not, the one owed now takes its place.
void Deliveries::owe(Session& session, const Take& take) {
  std::erase_if(session.owed, [&](const Owed& o) { return o.answered && world_.is_on_disk(o.answered_in); });
  std::optional<Owed> owed = entitled(session, take);
  bool is_second_of_qos2 = false;
  if (take.after_crash) {
    for (Owed& earlier : session.owed) {
      if (earlier.message != &take.message || earlier.origin != Origin::published) continue;
      earlier.by_all_takes &= owed && owed->required && owed->qos > 0 && !take.message.expiry_seconds;
      earlier.required = earlier.by_all_takes;
      earlier.owed_in = world_.batch();
      is_second_of_qos2 |= owed && earlier.qos == 2 && owed->qos == 2 && earlier.retain == owed->retain &&
                           earlier.subscription_ids == owed->subscription_ids;
    }
    auto came = session.received.find(&take.message);
    is_second_of_qos2 |= owed && owed->qos == 2 && came != session.received.end() && came->second == 2;
    if (owed) owed->required = owed->by_all_takes = false;
  }
  if (!owed || is_second_of_qos2) return;
  owed->owed_in = world_.batch();
  session.owed.push_back(*owed);
}

// A retained message that is asked for twice is owed twice, in the same form. If a crash may have forgotten the answer to
// the first, what comes now may be the first again, or the second.
void Deliveries::arrived(Session& session, const Arrival& arrival) {
  const Owed& came = arrival.owed;
  if (came.got_on == 0 || !came.answer_is_in_doubt) return;
  for (Owed& owed : session.owed) {
    if (!owed.required || owed.got_on != 0 || owed.message != came.message) continue;
    if (!is_in_form(owed, arrival.packet)) continue;
    owed.required = owed.by_all_takes = false;
    return;
  }
}

Owed* Deliveries::claim(Session& session, const mqtt::Publish& packet, const std::string& topic) const {
  Owed* next = nullptr;
  for (Owed& owed : session.owed) {
    if (owed.message->topic != topic || owed.message->payload != packet.payload || !is_in_form(owed, packet)) continue;
    if (owed.got_on != 0) {
      if (packet.dup && !owed.answered && owed.got_on < session.links) return &owed;
      continue;
    }
    bool may_be_new = !packet.dup || owed.since_link < session.links;  // [MQTT-3.3.1-1, 3.3.1-2]
    auto has_to_come = [&](const Owed& o) { return o.required && o.expires > world_.now(); };
    if (may_be_new && (!next || (has_to_come(owed) && !has_to_come(*next)))) next = &owed;
  }
  return next;
}

std::string Deliveries::what_is_owed(const Session& session, const mqtt::Publish& packet, const std::string& topic) {
  std::string text;
  for (const Owed& owed : session.owed) {
    if (owed.message->topic != topic || owed.message->payload != packet.payload) continue;
    text += "; owed QoS " + std::to_string(owed.qos) + (owed.retain ? " retain" : "");
    for (uint32_t id : owed.subscription_ids) text += " id=" + std::to_string(id);
    if (owed.got_on != 0) text += owed.answered ? ", got and answered" : ", got";
    if (owed.got_on == session.links) text += " on this connection";
  }
  return text;
}

// What the broker has acknowledged, or what is on disk, is owed still; the rest nobody knows.
void Deliveries::crashed() {
  for (auto& [id, session] : world_.sessions) {
    std::erase_if(session.owed, [&](const Owed& owed) {
      return owed.qos == 0 || (owed.answered && world_.is_on_disk(owed.answered_in));
    });
    for (Owed& owed : session.owed) {
      bool promised = owed.origin == Origin::published && owed.message->acknowledged;
      owed.required &= !owed.answered && (promised || world_.is_on_disk(owed.owed_in));
      owed.answer_is_in_doubt |= std::exchange(owed.answered, false);
      owed.owed_in = owed.answered_in = {};
    }
  }
}

void Deliveries::at_rest() {
  for (const auto& [id, session] : world_.sessions) {
    for (const Owed& owed : session.owed) {
      bool came = owed.got_on != 0 || (owed.origin == Origin::published && session.received.contains(owed.message));
      if (!owed.required || came || owed.expires <= world_.now()) continue;
      if (world_.wild_topics.contains(owed.message->topic)) continue;
      world_.fault("delivery: " + id + " was never sent " + words(*owed.message) +
                   (owed.origin == Origin::retained ? ", retained" : ""));
    }
  }
}

}  // namespace tidegate::sim
