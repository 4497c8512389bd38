// Seeds of the simulation. More by hand: SEEDS=10000 sim_broker. One again: SEED=4711 sim_broker. STEPS: longer runs. TRACE: told in full.
#include "tests/sim/broker_sim.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace tidegate::sim {
namespace {

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

TEST(BrokerSim, KeepsItsPromisesWhateverTheSeed) {
  uint64_t steps = from_environment("STEPS", 600);
  uint64_t first = from_environment("SEED", 0);
  uint64_t seeds = first != 0 ? 1 : from_environment("SEEDS", 300);
  if (first == 0) first = 1;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    BrokerSim sim(seed);
    if (std::getenv("TRACE")) sim.print_trace();
    sim.run(steps);
    if (HasFailure()) {
      FAIL() << "replay: SEED=" << seed << " STEPS=" << steps
             << " sim_broker --gtest_filter=BrokerSim.KeepsItsPromisesWhateverTheSeed";
    }
  }
}

}  // namespace
}  // namespace tidegate::sim
