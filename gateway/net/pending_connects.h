// Who has been accepted and has not sent CONNECT, in the order of coming; and who of them gives way to a newcomer.
//
// A hundred silent connections of one host would keep everybody out until connect_timeout, and again after that. But in
// a crowd that comes back after an outage nobody is to be closed for another one: its handshake would be wasted, it would
// come again and push out the next one, and nobody would get in. So only those give way who
//   1. have been here for `patience`: time enough for a handshake over a slow link, and
//   2. have nothing here that waits to be read: then it is not our processor that they wait for.
// Of them it is the one who came first, from the address that has most of them: a host that bars the door pays for it
// itself. Where there is nobody, newcomers wait in the kernel's queue.
//
// Pure: who is what is asked. Thread: the core's.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>

#include "gateway/base/ids.h"
#include "gateway/base/time.h"
#include "gateway/net/peer_key.h"

namespace tidegate::net {

class PendingConnects {
 public:
  // through: has sent CONNECT, or is gone. ours: something waits to be read.
  enum class Turn : uint8_t { through, ours, theirs };
  struct Look {
    std::function<Turn(ConnId)> turn;
    std::function<PeerKey(ConnId)> from;
  };

  explicit PendingConnects(Look look) : look_(std::move(look)) {}

  void add(ConnId id, Instant now);
  [[nodiscard]] std::optional<ConnId> gives_way(Millis patience, Instant now);
  [[nodiscard]] size_t size() const { return waiting_.size(); }  // some who are through among them

 private:
  struct Waiting {
    ConnId id;
    Instant since;
  };
  void drop_who_is_through();

  Look look_;
  std::deque<Waiting> waiting_;
  size_t sweep_at_ = 64;
};

}  // namespace tidegate::net
