// A client that keeps to the standard and does everything in it at random: sessions and wills of every kind,
// subscriptions, publications, answers that come late, links that break. It tells the judge what it does and gets.
#pragma once

#include <deque>
#include <string>

#include "tests/sim/judge.h"
#include "tests/sim/random.h"

namespace tidegate::sim {

class SimClient {
 public:
  // `is_steady`: its session is always kept, until it leaves on purpose.
  SimClient(World& world, Judge& judge, Random& random, std::string id, mqtt::Version version, bool is_steady);

  void act();   // one thing
  bool read();  // takes what came, and answers what has to be at once; false: nothing came
  void connect();
  void cut();
  void answer(size_t packets_max);
  void subscribe(const std::string& filter, const Subscription& subscription);
  void broker_stopped();
  [[nodiscard]] bool is_ready() const { return accepted_ && client_.is_open() && !client_.is_held(); }
  [[nodiscard]] bool is_done() const { return pending_.empty() && answers_.empty(); }

 private:
  struct Pending {  // a publication of QoS 1 or 2
    uint16_t id = 0;
    Message* message = nullptr;
    bool received = false;  // PUBREC seen
  };
  struct Answer {
    mqtt::PacketType type{};
    uint16_t id = 0;
  };
  void read(const mqtt::Packet& packet);
  void accepted(const mqtt::Connack& connack);
  void answered(const mqtt::Ack& ack);
  void publish();
  void send(const Pending& pending, bool dup);
  void subscribe();
  void unsubscribe();
  [[nodiscard]] const char* any_filter();
  void acknowledge(mqtt::PacketType type, uint16_t id);
  void say_goodbye();
  [[nodiscard]] Wishes any_wishes();
  [[nodiscard]] Message& any_message();
  [[nodiscard]] Message& any_will();
  [[nodiscard]] std::string properties_of(const Message& message) const;
  [[nodiscard]] uint16_t any_packet_id();
  [[nodiscard]] bool is_kept() const;

  World& world_;
  Judge& judge_;
  Random& random_;
  test::Client& client_;
  const mqtt::Version version_;
  const bool is_steady_;
  const char* const only_group_;  // none: it subscribes to anything
  bool accepted_ = false;         // CONNACK read on this connection
  int session_ = 0;               // Session::serial of what is pending
  bool asking_ = false;           // SUBACK or UNSUBACK is to come
  uint16_t last_id_ = 0;
  std::deque<Pending> pending_;
  std::deque<Answer> answers_;               // to be sent
  std::map<std::string, uint32_t> aliases_;  // told to the broker on this connection
};

}  // namespace tidegate::sim
