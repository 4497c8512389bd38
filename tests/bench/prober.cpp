#include "tests/bench/prober.h"

namespace bench {
namespace {

constexpr uint32_t probes = 5;
constexpr double probes_per_s = 100;  // of each
constexpr double late_max_s = 20;     // what has not arrived so long after the end is lost

}  // namespace

LoadOptions probe_options(const LoadOptions& base, const std::string& name) {
  LoadOptions probe = base;
  probe.mode = Mode::both;
  probe.pairs = true;
  probe.publishers = probe.subscribers = probes;
  probe.rate_per_s = probes * probes_per_s;
  probe.seconds = base.timeout_s;
  probe.settle_s = 0;
  probe.quiet_s = late_max_s;
  probe.pid = 0;
  probe.id += "-" + name;
  probe.topic += "/" + name;
  return probe;
}

Prober::Prober(const LoadOptions& options) : options_(options), run_(options_), thread_([this] { probe(); }) {
  while (!run_.is_publishing() && !ended_) std::this_thread::sleep_for(milliseconds(1));
  if (!run_.is_publishing()) {
    thread_.join();
    throw Failure("the prober: " + trouble_);
  }
}

Prober::~Prober() {
  run_.stop_publishing();
  if (thread_.joinable()) thread_.join();
}

void Prober::probe() {
  try {
    report_ = run_.run();
  } catch (const std::exception& error) {
    trouble_ = error.what();
  }
  ended_ = true;
}

Report Prober::finish() {
  run_.stop_publishing();
  thread_.join();
  if (!trouble_.empty()) throw Failure("the prober: " + trouble_);
  return report_;
}

}  // namespace bench
