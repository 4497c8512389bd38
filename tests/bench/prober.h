// What connected clients feel meanwhile: publishes on its own thread to subscribers of its own, at a steady pace, and
// takes the time from when a message was due to its arrival.
#pragma once

#include <string>
#include <thread>

#include "tests/bench/run.h"

namespace bench {

class Prober {
 public:
  // Connects, and probes from when this returns. Throws Failure where it cannot.
  explicit Prober(const LoadOptions& options);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // Waits for what is on its way.
  Report finish();

 private:
  void probe();

  LoadOptions options_;
  Run run_;
  Report report_;
  std::string trouble_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

// `pairs` publishers with a subscriber each, each sending every `interval`, as `name`.
LoadOptions probe_options(const LoadOptions& base, const std::string& name);

}  // namespace bench
