#include "config/reload.h"

#include <algorithm>

#include "config/schema.h"

namespace tidegate::config {
namespace {

template <class S>
Changes compare(const std::vector<S>& running, const std::vector<S>& next, const Section<S>& section) {
  Changes out;
  for (const S& old : running)
    if (std::ranges::find(next, old.name, &S::name) == next.end()) out.removed.push_back(old.name);
  for (const S& fresh : next) {
    auto old = std::ranges::find(running, fresh.name, &S::name);
    if (old == running.end()) {
      out.added.push_back(fresh.name);
      continue;
    }
    Changed changed{fresh.name, {}};
    section.changes(*old, fresh, "", changed.keys);
    if (!changed.keys.empty()) out.changed.push_back(std::move(changed));
  }
  return out;
}

}  // namespace

bool Changed::reconnects() const {
  return std::ranges::any_of(keys, [](const ChangedKey& key) { return key.applies != Applies::live; });
}

bool Diff::empty() const {
  return listeners.empty() && bridges.empty() && live.empty() && restart.empty();
}

Diff diff(const Config& running, const Config& next) {
  Diff out;
  out.listeners = compare(running.listeners, next.listeners, listener_section());
  out.bridges = compare(running.bridges, next.bridges, bridge_section());
  std::vector<ChangedKey> keys;
  config_section().changes(running, next, "", keys);
  for (const ChangedKey& changed : keys) {
    if (changed.key == "listeners" || changed.key == "bridges") continue;
    (changed.applies == Applies::live ? out.live : out.restart).push_back(changed.key);
  }
  return out;
}

}  // namespace tidegate::config
