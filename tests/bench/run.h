// One run of tidegate-load, readable top to bottom: connect, publish, wait for the rest, count. One thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "tests/bench/publisher.h"
#include "tests/bench/report.h"
#include "tests/bench/subscriber.h"

namespace bench {

class Run {
 public:
  explicit Run(const LoadOptions& options);
  // Throws Failure where a connection cannot be set up.
  Report run();

  // Any thread: begins the end of a run that has no other.
  void stop_publishing() { stopped_ = true; }
  [[nodiscard]] bool is_publishing() const { return begun_; }

 private:
  template <class End>
  void connect_all(std::vector<std::unique_ptr<End>>& ends, uint32_t count, const Address& address);
  void connect_subscribers();
  void connect_publishers();
  void publish();
  void collect();
  void begin_measuring();

  // Turns the loop until `done`; false where `deadline` came first.
  bool turn_until(const std::function<bool()>& done, Time deadline);
  void turn(Time deadline);
  void connected(uint32_t wanted);
  void count_losses(Report& report) const;
  void check_acked(Report& report) const;
  [[nodiscard]] Report report() const;
  [[nodiscard]] bool publishers_done() const;
  [[nodiscard]] bool quiet() const;

  const LoadOptions& options_;
  Loop loop_;
  Traffic traffic_;
  Time deadline_;
  Time collect_since_{};
  int64_t broker_cpu_start_ns_ = 0;
  int64_t own_cpu_start_ns_ = 0;
  int64_t rss_before_bytes_ = 0;
  int64_t broker_cpu_ns_ = 0;
  int64_t own_cpu_ns_ = 0;
  int64_t rss_bytes_ = 0;
  double set_seconds_ = 0;
  bool timed_out_ = false;
  std::atomic<bool> begun_{false};
  std::atomic<bool> stopped_{false};
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
};

// Holds `options.idle` connections and reads the broker's memory before and after.
Report run_idle(const LoadOptions& options);

}  // namespace bench
