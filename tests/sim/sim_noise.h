// A client that does everything else: sessions of every kind, wills, retained messages, filters, rudeness, junk.
// Nobody checks what it gets; the others must not notice it.
#pragma once

#include <string>

#include "tests/sim/random.h"
#include "tests/support/broker_harness.h"

namespace tidegate::sim {

class SimNoise {
 public:
  SimNoise(test::BrokerHarness& harness, Random& random, std::string id)
      : harness_(harness), random_(random), client_(harness.newcomer(std::move(id))) {}

  void act();
  void end();  // leaves nothing behind

 private:
  void connect();
  void send_junk();

  test::BrokerHarness& harness_;
  Random& random_;
  test::Client& client_;
};

}  // namespace tidegate::sim
