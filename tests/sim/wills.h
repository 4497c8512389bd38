// Wills (3.1.2.5, 3.1.3.2.2): published when the connection ends without a DISCONNECT that takes it back, or after its
// delay, or with the session, whichever is first; not at all if the client is back before. A crash of the gateway ends
// connections as well. Each is published once: Deliveries sees to it that it reaches whoever is owed it.
#pragma once

#include <functional>

#include "tests/sim/checker.h"

namespace tidegate::sim {

class Wills : public Checker {
 public:
  Wills(World& world, std::function<void(Message&)> publish) : Checker(world), publish_(std::move(publish)) {}

  void connected(Session& session) override;
  void said_goodbye(Session& session);  // by a DISCONNECT that takes the will back; before `disconnected`
  void disconnected(Session& session) override;
  void session_ends(Session& session) override { fire(session.id); }
  void time_passed() override;
  void crashed() override;
  void restarted() override;

 private:
  struct Will {
    Message* message = nullptr;
    uint32_t delay = 0;
    Instant due = Instant::never();
    BatchNumber due_since{};
  };
  void changed(const std::string& id);
  void fire(const std::string& id);
  void wait_or_fire(const Session& session);

  std::function<void(Message&)> publish_;
  std::map<std::string, Will> wills_;                            // by client id
  std::vector<std::pair<const Message*, BatchNumber>> changed_;  // and the batch that says so
};

}  // namespace tidegate::sim
