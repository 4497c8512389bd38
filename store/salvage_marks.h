// What a salvage knows of a queue: its marks as found and its records as found, brought together. Pure.
#pragma once

#include <algorithm>
#include <map>
#include <string_view>

#include "store/keys.h"
#include "store/queue.h"

namespace tidegate::store {

struct QueueMarks {
  QueueTail tail;
  QueueHead head;
  uint64_t records = 0;
  uint64_t bytes = 0;
  uint64_t expected = 0;  // records waiting by the marks as found; after settle
  Seq last{0};

  void saw(Seq seq, uint64_t counted) {
    ++records;
    bytes += counted;
    last = std::max(last, seq);
  }
  [[nodiscard]] uint64_t missing() const { return expected > records ? expected - records : 0; }

  // No place is given twice, even if the newest tail is lost; what is waiting is what is there.
  void settle() {
    expected = size_of(tail, head).messages;  // a queue that nothing was removed from has no head yet
    tail.next = std::max({tail.next, Seq{last.value + 1}, head.first});
    tail.bytes_in = std::max(tail.bytes_in, head.bytes_out + bytes);
    head.messages_out = tail.next.value - 1 - records;
    head.bytes_out = tail.bytes_in - bytes;
  }
};

// Takes note if `key` is the head or the tail of a queue.
void note_mark(std::map<QueueId, QueueMarks>& marks, std::string_view key, std::string_view value);

}  // namespace tidegate::store
