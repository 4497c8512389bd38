// The file that tells scripts which process is the gateway.
#pragma once

#include <string>

#include "gateway/base/result.h"

namespace tidegate {

class PidFile {
 public:
  PidFile() = default;
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

  // Replaces what is there. It is removed at the end, or left empty where that is not permitted. Errors: io.
  [[nodiscard]] Status write(const std::string& path);

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace tidegate
