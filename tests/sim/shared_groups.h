// Shared subscriptions (4.8.2): each message for a group reaches one of its members, and what the session of a member
// leaves unacknowledged reaches another [MQTT-4.8.2-4, 4.8.2-5].
//
// Which member that is, is the broker's choice; so a share is open to all members until one has got it. It may be lost
// where a member takes QoS 0, where QoS 2 may have been begun with one whose session ended, where nobody is left to have
// it, and in a crash with members that are not kept.
#pragma once

#include "tests/sim/checker.h"

namespace tidegate::sim {

class SharedGroups : public Checker {
 public:
  using Checker::Checker;
  void connected(Session& session) override;
  void session_ends(Session& session) override;
  void subscribed(Session& session, const std::string& filter, bool is_new) override;
  void unsubscribed(Session&, const std::string& filter) override { give_up_if_orphaned(filter); }
  void taken(const Take& take) override;
  void crashed() override;
  void at_rest() override;

  // As Deliveries::claim, of what the session may get as a member of a group. From then on the session owes an answer.
  [[nodiscard]] Owed* claim(Session& session, const mqtt::Publish& packet, const std::string& topic);

 private:
  struct Share {
    const Message* message = nullptr;
    std::string filter;
    int place = 0;
    Instant expires = Instant::never();
    bool required = true;
    bool by_all_takes = true;  // as Owed's
    bool came = false;         // to a member
    bool moved = false;        // from one member to another
    bool is_loose = false;     // after a crash nobody knows whose it is
    std::string holder;        // the member that has got it
    std::set<uint32_t> ids;    // with which: it may be the member of another group too
    BatchNumber shared_in;
  };
  [[nodiscard]] bool is_certain_of_a_member(const std::string& filter) const;
  [[nodiscard]] bool can_be(const Share& share, const Session& session, const mqtt::Publish& packet) const;
  void leave(const Session& session, const std::string& filter);
  static void give_up(Share& share);
  void give_up_if_orphaned(const std::string& filter);

  std::list<Share> shares_;
  std::set<std::string> restless_;   // groups that a session has left by its end
  std::set<std::string> forgetful_;  // groups that have had a member that is not kept
};

}  // namespace tidegate::sim
