// `tidegate init`: writes a configuration that works, and checks it.
#pragma once

#include <string>

namespace tidegate {

struct InitOptions {
  std::string program = "tidegate";  // as it was called, for hints
  std::string file = "tidegate.json";
  std::string bind;       // empty: loopback
  std::string user;       // of the devices; empty: none, which needs loopback
  std::string mosquitto;  // HOST or HOST:PORT of a remote Mosquitto; empty: no bridge
};

// Gives the exit code. Never overwrites a file.
[[nodiscard]] int init_configuration(const InitOptions& options);

}  // namespace tidegate
