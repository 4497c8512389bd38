// What connected clients feel meanwhile: publishes to subscribers of its own at a steady pace, and takes the time from
// when a message was due to its arrival. A process of its own: it shares no lock, no memory and no priority with the
// thousands of clients beside it.
#pragma once

#include "tests/bench/report.h"

namespace bench {

class Prober {
 public:
  // REQUIRES: no other thread and no connection yet; the process begins here.
  explicit Prober(const LoadOptions& options);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // Connects, and probes from when this returns. Throws Failure where it cannot.
  void begin();
  // Waits for what is on its way: the counts of messages, their latency and lateness.
  Report finish();

 private:
  void close();

  int pipe_ = -1;
  pid_t child_ = -1;
};

// Of `base`: five pairs, each a message every 10 ms, as `name`.
LoadOptions probe_options(const LoadOptions& base, const std::string& name);

}  // namespace bench
