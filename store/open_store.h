// Opening the store of a data folder: the start never fails for damaged data (invariant 7).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "store/store.h"

namespace tidegate::store {

// A warning of the database, one line, for the log. Called on any thread; must not block or throw.
using LogLine = std::function<void(std::string_view line)>;

struct OpenOptions {
  std::string path;                   // the data folder; made if absent (mode 0750)
  bool set_aside_newer = false;       // store.on_newer = "set_aside"
  uint64_t memory_bytes = 16u << 20;  // write buffers and cache together
  LogLine log{};                      // empty: nobody is interested
};

struct Opened {
  std::unique_ptr<Store> store;
  bool clean = true;  // the last stop was orderly (or the store is new)
  bool created = false;
  std::string set_aside;    // where a damaged or newer store was moved to; empty: none
  uint64_t salvaged = 0;    // records carried over from it
  uint64_t unreadable = 0;  // records known to be lost in it, as far as can be told
};

// Errors: newer_format (and not set_aside_newer), in_use (another process holds it), io / no_space (folder unusable);
// each with a sentence that says what to do. Marks the store as not cleanly stopped.
[[nodiscard]] Result<Opened> open_store(const OpenOptions& options);

}  // namespace tidegate::store
