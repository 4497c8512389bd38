// Processes and folders that the demo makes, and takes away again however it ends.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bench {

class TemporaryFolder {
 public:
  explicit TemporaryFolder(bool keep);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  bool keep_;
};

// A process started and ended by its id. It ends, too, when this process is killed.
class Child {
 public:
  // Output of every start is appended to `log`.
  Child(std::vector<std::string> command, std::filesystem::path log);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void start();      // REQUIRES: not running
  void terminate();  // SIGTERM; returns at once
  void stop();       // SIGTERM, SIGKILL after 5 s, and waits for the end
  bool running();
  [[nodiscard]] std::string last_words() const;

 private:
  std::vector<std::string> command_;
  std::filesystem::path log_;
  pid_t pid_ = -1;
};

// A TCP port of 127.0.0.1 that nobody listens on now.
uint16_t free_port();

}  // namespace bench
