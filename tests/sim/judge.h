// Sees what clients and broker say to each other, keeps the sessions (3.1.2.4, 3.1.2.11.2, 3.1.4), and tells the
// checkers.
//
// The order of things is the broker's: the harness tells when a CONNECT is accepted and a packet taken. What has to
// follow is said here and in the checkers, from the standard. Of sessions: CONNACK says whether there was one; it lasts
// as long as its client asked for, over a crash too if that was promised; a connection ends by its client, by a newer one
// of the same client, by its keep-alive, or by a packet that the store does not take, and by nothing else.
#pragma once

#include <memory>

#include "tests/sim/checker.h"
#include "tests/sim/deliveries.h"
#include "tests/sim/shared_groups.h"
#include "tests/sim/wills.h"

namespace tidegate::sim {

class Judge : public test::Watcher {
 public:
  explicit Judge(World& world);

  // What the client is about to send.
  void will_connect(const std::string& id, const Wishes& wishes);
  void will_publish(const std::string& id, uint16_t packet_id, Message& message);  // 0: QoS 0
  void will_say_goodbye(const std::string& id, const mqtt::Disconnect& packet, std::optional<uint32_t> new_expiry);
  void will_cut(const std::string& id);  // or goes away without a word
  void has_sent(const test::Client& client);
  void has_read(const test::Client& client);

  // What has reached the client.
  void received(const std::string& id, const mqtt::Packet& packet, size_t bytes);

  // The power goes; then the broker has started again.
  void crashed();
  void restarted();
  void time_passed();
  void at_rest();

  // A crash has left it open whether there is a session.
  [[nodiscard]] bool must_begin_anew(const std::string& id);

 private:
  struct Peer {
    Wishes wishes;
    Message* unacknowledged = nullptr;  // of QoS 0, the one that is being sent
    std::map<uint16_t, Message*> messages;
    char granted = 0;  // what the next SUBACK or UNSUBACK says
  };

  void connected(std::string_view client_id) override;
  void disconnected(std::string_view client_id, std::string_view why) override;
  void taken(test::Client& client, const mqtt::Packet& packet, bool refused) override;

  void taken(Session& session, Peer& peer, const mqtt::Publish& packet, bool refused);
  void taken(Session& session, Peer& peer, const mqtt::Subscribe& packet, bool refused);
  void taken(Session& session, Peer& peer, const mqtt::Unsubscribe& packet, bool refused);
  void taken(Session& session, const mqtt::Ack& packet);
  void received(Session& session, const mqtt::Connack& packet);
  void received(Session& session, const mqtt::Publish& packet);
  void received(Peer& peer, const mqtt::Ack& packet);
  void publish(Message& message, bool retained);
  void end(Session& session);
  void change(Session& session);

  World& world_;
  std::vector<std::unique_ptr<Checker>> checkers_;
  Wills* wills_ = nullptr;
  Deliveries* deliveries_ = nullptr;
  SharedGroups* groups_ = nullptr;
  std::map<std::string, Peer, std::less<>> peers_;
  struct Ended {
    BatchNumber batch;  // that ends it
    std::map<std::string, std::vector<Subscription>> groups;
  };
  std::map<std::string, Ended> ended_;  // kept sessions that a crash may bring back
  int takes_ = 0;
  int sessions_ = 0;  // that ever were
};

}  // namespace tidegate::sim
