// What a reload has to touch: only what changed, and never a queued message.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "config/types.h"

namespace tidegate::config {

// A bridge or listener that is in both, but differs.
struct Changed {
  std::string name;
  std::vector<ChangedKey> keys;  // "rules", "queue.max_bytes"

  // Must it be closed and opened anew? If not, its new values are taken over as it runs.
  [[nodiscard]] bool reconnects() const;
  friend bool operator==(const Changed&, const Changed&) = default;
};

struct Changes {
  std::vector<std::string> added, removed;  // names, in the order of their configuration
  std::vector<Changed> changed;

  [[nodiscard]] bool empty() const { return added.empty() && removed.empty() && changed.empty(); }
  friend bool operator==(const Changes&, const Changes&) = default;
};

struct Diff {
  Changes listeners, bridges;
  std::vector<std::string> live;     // other keys to take over now: "limits.max_connections", "access.users"
  std::vector<std::string> restart;  // keys that wait for a restart, to be named as pending: "store.path"

  [[nodiscard]] bool empty() const;
  friend bool operator==(const Diff&, const Diff&) = default;
};

// REQUIRES: both came from load() or default_config(), so that names are unique.
[[nodiscard]] Diff diff(const Config& running, const Config& next);

}  // namespace tidegate::config
