#include "tests/bench/process.h"

#include <dirent.h>
#include <sys/resource.h>

#include <fstream>
#include <memory>
#include <string>

namespace bench {
namespace {

int64_t read_cpu_ns(const std::string& proc) {
  int64_t total = 0;
  std::unique_ptr<DIR, int (*)(DIR*)> tasks(opendir((proc + "/task").c_str()), closedir);
  if (!tasks) return 0;
  while (const dirent* entry = readdir(tasks.get())) {
    if (entry->d_name[0] == '.') continue;
    std::ifstream schedstat(proc + "/task/" + entry->d_name + "/schedstat");
    int64_t on_cpu_ns = 0;
    if (schedstat >> on_cpu_ns) total += on_cpu_ns;
  }
  return total;
}

// smaps_rollup walks the page tables; the RSS of statm may be off by some dozen pages per thread.
int64_t read_rss_bytes(const std::string& proc) {
  std::ifstream rollup(proc + "/smaps_rollup");
  std::string word;
  while (rollup >> word) {
    int64_t kib = 0;
    if (word == "Rss:" && rollup >> kib) return kib * 1024;
  }
  return 0;
}

}  // namespace

ProcessUse read_process(pid_t pid) {
  if (pid <= 0) return {};
  std::string proc = "/proc/" + std::to_string(pid);
  return {read_cpu_ns(proc), read_rss_bytes(proc)};
}

int64_t own_cpu_ns() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  auto ns = [](const timeval& time) { return (time.tv_sec * 1'000'000 + time.tv_usec) * 1000; };
  return ns(use.ru_utime) + ns(use.ru_stime);
}

}  // namespace bench
