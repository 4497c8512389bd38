// Seeds of the simulation; README.md says how to have more of them, or one again.
#include "tests/sim/broker_sim.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace tidegate::sim {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t seeds_in_the_suite = 150;  // as long as the others without a sanitizer
#else
constexpr uint64_t seeds_in_the_suite = 1000;
#endif

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

TEST(BrokerSim, KeepsItsPromisesWhateverTheSeed) {
  uint64_t steps = from_environment("TIDEGATE_SIM_STEPS", 600);
  uint64_t only = from_environment("TIDEGATE_SIM_SEED", 0);
  uint64_t first = only != 0 ? only : from_environment("TIDEGATE_SIM_FIRST", 1);
  uint64_t seeds = only != 0 ? 1 : from_environment("TIDEGATE_SIM_SEEDS", seeds_in_the_suite);
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    BrokerSim sim(seed);
    if (std::getenv("TIDEGATE_SIM_TRACE")) sim.print_trace();
    std::string fault = sim.run(steps);
    if (fault.empty() && !HasFailure()) continue;
    FAIL() << fault << "\nreplay: TIDEGATE_SIM_SEED=" << seed << " TIDEGATE_SIM_STEPS=" << steps
           << " sim_broker, and TIDEGATE_SIM_TRACE=1 tells it in full. Its end:\n"
           << sim.end_of_trace();
  }
}

}  // namespace
}  // namespace tidegate::sim
