// Text files of "publisher sequence" lines: how a crash test carries what was promised from one process to the next.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/loop.h"

namespace bench {

class SequenceLog {
 public:
  explicit SequenceLog(const std::string& path) : file_(std::fopen(path.c_str(), "w"), std::fclose) {
    if (!file_) throw Failure("cannot write " + path);
  }
  void add(uint32_t publisher, uint64_t sequence) {
    std::fprintf(file_.get(), "%u %lu\n", publisher, static_cast<unsigned long>(sequence));
  }
  // To the operating system: whoever reads along, or kills us, finds it there.
  void flush() { std::fflush(file_.get()); }

 private:
  std::unique_ptr<FILE, int (*)(FILE*)> file_;
};

inline std::map<uint32_t, std::vector<uint64_t>> read_sequence_log(const std::string& path) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "r"), std::fclose);
  if (!file) throw Failure("cannot read " + path);
  std::map<uint32_t, std::vector<uint64_t>> sequences;
  uint32_t publisher = 0;
  unsigned long sequence = 0;
  while (std::fscanf(file.get(), "%u %lu", &publisher, &sequence) == 2) sequences[publisher].push_back(sequence);
  return sequences;
}

}  // namespace bench
