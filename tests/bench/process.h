// What a process has cost so far, read from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace bench {

struct ProcessUse {
  int64_t cpu_ns = 0;  // all threads that live now; a thread that ended in between takes its share along
  int64_t rss_bytes = 0;
};

// Zeroes where the process is gone or not ours to read.
ProcessUse read_process(pid_t pid);
int64_t own_cpu_ns();

}  // namespace bench
