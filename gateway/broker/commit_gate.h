// Holds packets until the batch that keeps their promise is on disk (ARCHITECTURE.md, rule 3 and invariant 1).
//
// By batch, and within one in the order of holding. Nearly every packet waits for the newest batch; one that waits for an
// older batch is put before those of newer ones, since nothing else of its connection may overtake it once that is on disk.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "gateway/base/ids.h"
#include "gateway/base/time.h"

namespace tidegate::broker {

class CommitGate {
 public:
  [[nodiscard]] BatchNumber committed() const { return committed_; }
  [[nodiscard]] bool is_committed(BatchNumber batch) const { return batch <= committed_; }

  // `expires`: of the message in it.
  void hold(ConnId conn, BatchNumber until, std::string_view packet, WallTime expires = WallTime::never()) {
    auto place = held_.end();
    if (!held_.empty() && until < held_.back().until) {
      place = std::upper_bound(held_.begin(), held_.end(), until,
                               [](BatchNumber batch, const Held& held) { return batch < held.until; });
    }
    held_.insert(place, {until, conn, std::string(packet), expires});
  }

  // Everything up to `batch` is on disk: hands what may go now to `release(ConnId, std::string& packet, WallTime expires)`,
  // in order. REQUIRES: it holds nothing meanwhile.
  template <class Release>
  void open(BatchNumber batch, Release&& release) {
    if (batch > committed_) committed_ = batch;
    while (!held_.empty() && held_.front().until <= committed_) {
      release(held_.front().conn, held_.front().packet, held_.front().expires);
      held_.pop_front();
    }
  }

  [[nodiscard]] size_t size() const { return held_.size(); }

 private:
  struct Held {
    BatchNumber until;
    ConnId conn;
    std::string packet;  // nearly always an acknowledgement of a few bytes, kept without allocation
    WallTime expires;
  };
  BatchNumber committed_{0};
  std::deque<Held> held_;
};

}  // namespace tidegate::broker
