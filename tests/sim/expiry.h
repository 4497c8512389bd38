// Message expiry (3.3.2.3.3): nothing is sent for the first time after it, and what is sent says how long is left.
#pragma once

#include "tests/sim/checker.h"
#include "tests/sim/deliveries.h"

namespace tidegate::sim {

class Expiry : public Checker {
 public:
  using Checker::Checker;

  void arrived(Session& session, const Arrival& arrival) override {
    const Owed& owed = arrival.owed;
    if (owed.message->takes > 1 || is_clearing(*owed.message)) return;  // which take has come nobody can tell
    auto told = arrival.packet.properties.integer(mqtt::PropertyId::message_expiry_interval);
    std::string what = "expiry: " + session.id + " got " + words(*owed.message);
    if (owed.expires == Instant::never()) {
      if (told) world_.fault(what + " with an expiry that nobody gave it");
      return;
    }
    int64_t left = std::chrono::ceil<Seconds>(owed.expires - world_.now()).count();
    if (left <= 0 && !arrival.packet.dup) world_.fault(what + " after its expiry");
    if (session.link->wishes.version != test::v5) return;
    if (!told || *told != std::max<int64_t>(left, 0)) {
      world_.fault(what + ", told another time than the " + std::to_string(left) + " s left");
    }
  }
};

}  // namespace tidegate::sim
