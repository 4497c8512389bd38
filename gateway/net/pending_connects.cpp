#include "gateway/net/pending_connects.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace tidegate::net {

void PendingConnects::add(ConnId id, Instant now) {
  if (waiting_.size() >= sweep_at_) drop_who_is_through();
  waiting_.push_back({id, now});
}

void PendingConnects::drop_who_is_through() {
  std::erase_if(waiting_, [this](const Waiting& waiting) { return look_.turn(waiting.id) == Turn::through; });
  sweep_at_ = std::max<size_t>(64, 2 * waiting_.size());
}

std::optional<ConnId> PendingConnects::gives_way(Millis patience, Instant now) {
  std::unordered_map<PeerKey, uint32_t> shares;
  std::vector<std::pair<ConnId, PeerKey>> silent;
  uint32_t most = 0;
  for (const Waiting& waiting : waiting_) {
    if (now - waiting.since < patience) break;
    if (look_.turn(waiting.id) != Turn::theirs) continue;
    silent.emplace_back(waiting.id, look_.from(waiting.id));
    most = std::max(most, ++shares[silent.back().second]);
  }
  for (const auto& [id, from] : silent) {
    if (shares[from] == most) return id;
  }
  return {};
}

}  // namespace tidegate::net
