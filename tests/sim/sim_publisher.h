// A publisher that keeps to the standard: numbers per topic, resends in order, counts a message as taken when told so.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "tests/sim/random.h"
#include "tests/support/broker_harness.h"

namespace tidegate::sim {

// What every message of one topic came to. Topics belong to one publisher.
struct Ledger {
  std::map<int, int> taken;  // number to QoS, of messages that the broker has acknowledged
  std::set<int> refused;     // told to the publisher as refused
  int next = 1;
  int retained = 0;  // the newest acknowledged one that is to be retained
  // A 5.0 publisher that was told "refused" for one message and "taken" for the next, and has heard neither, sends both
  // again: then their order is lost, by the publisher's right.
  bool may_reorder = false;
};
using Ledgers = std::map<std::string, Ledger, std::less<>>;

// The store takes nothing now, and the client comes again: 3, and 0x97 in 5.0.
inline bool is_refused_for_store(const mqtt::Connack& connack, mqtt::Version version) {
  return connack.code == (version == test::v5 ? 0x97 : 3);
}

class SimPublisher {
 public:
  SimPublisher(test::BrokerHarness& harness, Random& random, Ledgers& ledgers, std::string id, mqtt::Version version);

  void connect();
  void lose() { client_.lose(); }
  void publish();
  void read();  // takes what came and answers it
  void broker_stopped() { accepted_ = false; }
  void store_refuses();
  [[nodiscard]] bool is_ready() const { return accepted_ && client_.is_open(); }
  [[nodiscard]] bool is_done() const { return pending_.empty(); }

 private:
  struct Pending {
    std::string topic;
    int number = 0;
    int qos = 0;
    uint16_t id = 0;
    bool retain = false;
    bool received = false;  // PUBREC seen
  };
  void send(const Pending& message, bool dup);
  void accepted(const mqtt::Connack& connack);
  void answered(const mqtt::Ack& ack);
  void take(const Pending& message, mqtt::ReasonCode reason);

  test::BrokerHarness& harness_;
  Random& random_;
  Ledgers& ledgers_;
  test::Client& client_;
  mqtt::Version version_;
  bool accepted_ = false;     // CONNACK read on this connection
  bool has_session_ = false;  // CONNACK read ever: the session is on disk
  std::deque<Pending> pending_;
  uint16_t last_id_ = 0;
};

}  // namespace tidegate::sim
