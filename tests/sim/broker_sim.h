// One run of the simulation: a broker, its clients, a bridge's queue, a slow and failing disk, crashes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/random.h"
#include "tests/sim/sim_noise.h"
#include "tests/sim/sim_publisher.h"
#include "tests/sim/sim_subscriber.h"

namespace tidegate::sim {

class BrokerSim {
 public:
  explicit BrokerSim(uint64_t seed);
  // Chaos for `steps`, then calm until everything is delivered, then the books are checked.
  void run(size_t steps);
  void print_trace();  // of everything from here on

 private:
  void step();
  void crash();
  void restart_twice();
  void change_store_state();
  void attach_bridge();
  void read_all();
  void calm_down();
  void check_retained(bool exactly);
  void check_bridge_queue();
  void check_groups();
  void check_store_is_empty();

  Random random_;
  test::BrokerHarness h_;
  Ledgers ledgers_;
  const bool may_refuse_;  // the store, in this run
  std::vector<std::unique_ptr<SimPublisher>> publishers_;
  std::vector<std::unique_ptr<SimSubscriber>> subscribers_;
  std::vector<std::unique_ptr<SimNoise>> noises_;
};

}  // namespace tidegate::sim
