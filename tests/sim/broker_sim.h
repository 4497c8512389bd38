// One run of the simulation: a broker, its clients, a bridge's queue, a slow and failing disk, time, crashes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/judge.h"
#include "tests/sim/random.h"
#include "tests/sim/sim_client.h"
#include "tests/sim/sim_noise.h"

namespace tidegate::sim {

class BrokerSim {
 public:
  explicit BrokerSim(uint64_t seed);
  // Chaos for `steps`, then calm until everything is delivered. The first fault, or nothing.
  std::string run(size_t steps);
  void print_trace() { prints_trace_ = true; }  // of everything from here on
  [[nodiscard]] std::string end_of_trace() const;

 private:
  void step();
  void let_time_pass(Millis time);
  void crash();
  void restart_twice();
  void change_store_state();
  void attach_bridge();
  void read_all();
  void connect_all();
  void calm_down();
  [[nodiscard]] bool is_at_rest() const;
  void trace(const std::string& line);

  Random random_;
  test::BrokerHarness h_;
  World world_;
  Judge judge_;
  const bool may_refuse_;  // the store, in this run
  std::vector<std::unique_ptr<SimClient>> clients_;
  std::vector<std::unique_ptr<SimNoise>> noises_;
  bool prints_trace_ = false;
  std::deque<std::string> trace_;
};

}  // namespace tidegate::sim
