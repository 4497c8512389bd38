// What a checker is told. Each keeps one rule of the standard or one of the gateway's invariants, and nothing else.
#pragma once

#include "tests/sim/world.h"

namespace tidegate::sim {

// A PUBLISH that has reached a client.
struct Arrival {
  const mqtt::Publish& packet;
  const std::string& topic;  // with its alias resolved
  const Owed& owed;          // what it was taken for
};

class Checker {
 public:
  explicit Checker(World& world) : world_(world) {}
  virtual ~Checker() = default;

  virtual void connected(Session&) {}
  virtual void disconnected(Session&) {}
  virtual void session_ends(Session&) {}  // and is still there
  virtual void subscribed(Session&, const std::string& /*filter*/, bool /*is_new*/) {}
  virtual void unsubscribed(Session&, const std::string& /*filter*/) {}
  virtual void taken(const Take&) {}
  virtual void acknowledged(const Message&) {}
  virtual void received(Session&, const mqtt::Packet&, size_t /*bytes*/) {}
  virtual void arrived(Session&, const Arrival&) {}
  virtual void crashed() {}      // sessions are what the crash has left, and nobody is connected
  virtual void restarted() {}    // behind that
  virtual void time_passed() {}  // to World::now
  virtual void at_rest() {}      // everybody is connected, and nothing is under way any more

 protected:
  World& world_;
};

}  // namespace tidegate::sim
