// A subscriber that keeps to the standard, answers late, and judges what it gets: order, and QoS 2 exactly once.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gateway/base/topic.h"
#include "tests/sim/random.h"
#include "tests/sim/sim_publisher.h"
#include "tests/support/broker_harness.h"

namespace tidegate::sim {

class SimSubscriber {
 public:
  struct Traits {
    std::string id;
    mqtt::Version version = test::v4;
    bool kept = true;
    std::string filter;
    int qos = 1;
    bool leaves = false;  // ends its kept session at times and begins another
  };
  SimSubscriber(test::BrokerHarness& harness, Random& random, const Ledgers& ledgers, Traits traits);

  void connect();
  void lose();
  void read();
  void answer(size_t packets_max);
  void broker_stopped();
  // Nothing taken for this subscriber is missing. REQUIRES: everything was delivered that could be.
  void expect_all() const;
  [[nodiscard]] bool is_ready() const { return accepted_ && client_.is_open(); }
  [[nodiscard]] bool is_subscribed() const { return subscribed_; }
  [[nodiscard]] bool is_done() const { return answers_.empty(); }
  [[nodiscard]] bool is_kept() const { return traits_.kept; }
  // Of a shared subscription: what one member has not seen another must have.
  [[nodiscard]] bool is_member_of(const std::string& filter) const { return traits_.filter == filter; }
  [[nodiscard]] bool is_shared() const { return traits_.filter.starts_with("$share/"); }
  [[nodiscard]] bool has_seen(const std::string& topic, int number) const;

 private:
  struct Answer {
    mqtt::PacketType type{};
    uint16_t id = 0;
  };
  void accepted(const mqtt::Connack& connack);
  void received(const mqtt::Publish& publish);
  void note(const mqtt::Publish& publish);

  test::BrokerHarness& harness_;
  Random& random_;
  const Ledgers& ledgers_;
  Traits traits_;
  TopicFilter filter_;
  test::Client& client_;
  bool accepted_ = false;
  bool subscribed_ = false;
  std::deque<Answer> answers_;   // to be sent
  std::set<uint16_t> qos2_ids_;  // received, not released
  struct Seen {
    std::set<int> numbers;
    int newest = 0;
  };
  std::map<std::string, Seen, std::less<>> seen_;  // by topic, QoS 1 and 2
};

}  // namespace tidegate::sim
