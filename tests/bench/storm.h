// --storm: many clients lose their link at one moment and all come back at once, while a few that kept theirs measure
// what they feel of it.
#pragma once

#include "tests/bench/options.h"
#include "tests/bench/report.h"

namespace bench {

struct StormReport {
  uint32_t clients = 0;
  uint32_t back = 0;  // connected and subscribed again
  uint64_t retries = 0;
  std::string retry_why;  // the last one's
  double seconds = 0;     // from the cut until the last was back
  int64_t broker_cpu_ns = 0;
  int64_t own_cpu_ns = 0;
  Report plain;  // of the probes; empty without --plain-port
  Report same;   // of those that come in as the crowd does

  [[nodiscard]] double broker_cpu_us() const;  // per client
  [[nodiscard]] double own_cpu_us() const;
  [[nodiscard]] int exit_code() const;
};

// Throws Failure where the clients do not even get in one after the other.
StormReport run_storm(const LoadOptions& options);
std::string to_text(const StormReport& report, const LoadOptions& options);
std::string to_json(const StormReport& report, const LoadOptions& options);

}  // namespace bench
