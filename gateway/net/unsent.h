// What a socket has not taken yet: chunks of our own bytes and shared payloads, written with as few calls as possible.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <deque>
#include <string>

#include "gateway/broker/out_buffer.h"

namespace tidegate::net {

class Unsent {
 public:
  [[nodiscard]] bool empty() const { return chunks_.empty(); }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

  // Takes over what stands in `buffer` from byte `skip` on, in its order.
  void append(broker::OutBuffer& buffer, uint64_t skip);
  // Fills at most `count` entries of `vectors`; returns how many.
  [[nodiscard]] int gather(iovec* vectors, int count) const;
  // The first `n` bytes were written.
  void consume(uint64_t n);

 private:
  struct Chunk {
    std::string own;
    MessagePtr shared;  // its payload, in place of `own`
    size_t begin = 0;
    [[nodiscard]] std::string_view bytes() const {
      return std::string_view(shared ? shared->payload : own).substr(begin);
    }
  };
  std::deque<Chunk> chunks_;
  uint64_t bytes_ = 0;
};

// Fills `vectors` with the content of `buffer`; returns how many were filled, or -1 if `count` are too few.
[[nodiscard]] int gather(const broker::OutBuffer& buffer, iovec* vectors, int count);

}  // namespace tidegate::net
