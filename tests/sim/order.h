// Order (invariant 3, MQTT 4.6): per publisher and topic, messages reach a subscriber first in the order in which the
// broker took them. QoS 0 and the rest are two orders: a message that waits for the disk is overtaken by QoS 0 alone.
#pragma once

#include <tuple>

#include "tests/sim/checker.h"
#include "tests/sim/deliveries.h"

namespace tidegate::sim {

class Order : public Checker {
 public:
  using Checker::Checker;

  void connected(Session& session) override {
    if (session.link->session_present) return;
    newest_.erase(session.id);
    seen_.erase(session.id);
  }
  void arrived(Session& session, const Arrival& arrival) override {
    const Message& message = *arrival.owed.message;
    if (arrival.owed.origin != Origin::published || is_clearing(message)) return;
    if (message.expiry_seconds && message.takes > 1) return;  // the first may have expired
    if (arrival.owed.expires <= world_.now()) return;         // dropped while it waited, and back after a crash
    if (is_large(message) && session.spares_large) return;    // and so may one that it did not take
    if (!seen_[session.id].insert(&message).second) return;
    int& newest = newest_[session.id][{message.publisher, message.topic, arrival.owed.qos > 0}];
    if (message.latest_place < newest) world_.fault("order: " + session.id + " got late " + words(message));
    newest = std::max(newest, message.first_place);  // which of its takes has come, copies do not tell
  }

 private:
  using Stream = std::tuple<std::string, std::string, bool>;  // publisher, topic, whether it is acknowledged
  std::map<std::string, std::map<Stream, int>> newest_;       // places, by client id
  std::map<std::string, std::set<const Message*>> seen_;      // by client id
};

}  // namespace tidegate::sim
