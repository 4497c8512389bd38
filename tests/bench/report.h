// What a run found, as a line for people or one JSON object for scripts.
#pragma once

#include <cstdint>
#include <string>

#include "tests/bench/options.h"

namespace bench {

struct Report {
  uint64_t sent = 0;
  uint64_t acknowledged = 0;
  uint64_t refused = 0;   // answered with a reason code >= 0x80
  uint64_t expected = 0;  // copies that had to arrive: of what was sent (QoS 0) or acknowledged
  uint64_t received = 0;  // distinct
  uint64_t lost = 0;
  uint64_t duplicated = 0;
  uint64_t reordered = 0;
  uint64_t foreign = 0;
  uint32_t connections_lost = 0;
  std::string lost_why;
  bool timed_out = false;

  double seconds = 0;      // first message due until the last arrival (publish only: acknowledgement)
  double set_seconds = 0;  // --retained: until all were set
  double p50_us = 0;
  double p99_us = 0;
  double max_us = 0;
  double late_p99_us = 0;  // of it, how late a paced publisher itself was

  uint64_t cpu_messages = 0;  // what the CPU is divided by
  int64_t broker_cpu_ns = 0;  // 0: no --pid
  int64_t own_cpu_ns = 0;
  int64_t rss_bytes = 0;
  int64_t rss_before_bytes = 0;
  uint32_t connections = 0;  // --idle
  double bytes_per_connection = 0;

  [[nodiscard]] double per_second() const;
  [[nodiscard]] double broker_cpu_us() const;  // per message
  [[nodiscard]] double own_cpu_us() const;
  [[nodiscard]] int exit_code(const LoadOptions& options) const;
};

std::string to_text(const Report& report, const LoadOptions& options);
std::string to_json(const Report& report, const LoadOptions& options);

}  // namespace bench
