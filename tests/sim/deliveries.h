// Who is owed which message, how often, and in which form.
//
// A message goes once to every session with a subscription that matches, at the highest QoS of them all and with all
// their identifiers (3.3.4), not back to whoever asked for no echo, and to nobody else. QoS 0 comes at most once, and is
// not kept for who is away; QoS 1 at least once, again only on another connection and only until it is acknowledged;
// QoS 2 exactly once, over crashes as well.
#pragma once

#include "tests/sim/checker.h"

namespace tidegate::sim {

class Deliveries : public Checker {
 public:
  using Checker::Checker;
  void connected(Session& session) override;
  void disconnected(Session& session) override;
  void taken(const Take& take) override;
  void arrived(Session& session, const Arrival& arrival) override;
  void crashed() override;
  void at_rest() override;

  // The copy that this PUBLISH is; nullptr: none that is owed.
  [[nodiscard]] Owed* claim(Session& session, const mqtt::Publish& packet, const std::string& topic) const;
  // For faults: what it is owed of that topic and payload.
  [[nodiscard]] static std::string what_is_owed(const Session& session, const mqtt::Publish& packet,
                                                const std::string& topic);

 private:
  void owe(Session& session, const Take& take);
};

[[nodiscard]] inline bool is_large(const Message& message) {
  return message.payload.size() > 60;
}
// It clears what is retained, and looks as all do that clear the same topic: which of them has come nobody can tell.
[[nodiscard]] inline bool is_clearing(const Message& message) {
  return message.payload.empty();
}
[[nodiscard]] std::set<uint32_t> subscription_ids(const mqtt::Publish& packet);
[[nodiscard]] std::string words(const Message& message);  // for faults

}  // namespace tidegate::sim
