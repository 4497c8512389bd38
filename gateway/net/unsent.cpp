#include "gateway/net/unsent.h"

#include <algorithm>

namespace tidegate::net {
namespace {

iovec vector_of(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

// Visits the pieces of `buffer` in their order: stretches of its own bytes and shared payloads.
template <class Own, class Shared>
void for_each_piece(const broker::OutBuffer& buffer, const Own& own, const Shared& shared) {
  size_t at = 0;
  for (const broker::OutBuffer::Shared& payload : buffer.shared()) {
    if (payload.after > at) own(std::string_view(buffer.own()).substr(at, payload.after - at));
    at = payload.after;
    shared(payload.message);
  }
  if (at < buffer.own().size()) own(std::string_view(buffer.own()).substr(at));
}

}  // namespace

void Unsent::append(broker::OutBuffer& buffer, uint64_t skip) {
  auto add = [&](Chunk chunk) {
    size_t size = chunk.bytes().size();
    if (skip >= size) {
      skip -= size;
      return;
    }
    chunk.begin += skip;
    bytes_ += size - skip;
    skip = 0;
    chunks_.push_back(std::move(chunk));
  };
  for_each_piece(
      buffer,
      [&](std::string_view own) {
        add({std::string(own), nullptr, 0});
      },
      [&](const MessagePtr& message) {
        add({{}, message, 0});
      });
  buffer.clear();
}

int Unsent::gather(iovec* vectors, int count) const {
  int filled = 0;
  for (const Chunk& chunk : chunks_) {
    if (filled == count) break;
    vectors[filled++] = vector_of(chunk.bytes());
  }
  return filled;
}

void Unsent::consume(uint64_t n) {
  bytes_ -= n;
  while (n > 0) {
    size_t size = chunks_.front().bytes().size();
    if (n < size) {
      chunks_.front().begin += n;
      return;
    }
    n -= size;
    chunks_.pop_front();
  }
}

int gather(const broker::OutBuffer& buffer, iovec* vectors, int count) {
  if (static_cast<int>(buffer.shared().size()) * 2 + 1 > count) return -1;
  int filled = 0;
  for_each_piece(
      buffer, [&](std::string_view own) { vectors[filled++] = vector_of(own); },
      [&](const MessagePtr& message) { vectors[filled++] = vector_of(message->payload); });
  return filled;
}

}  // namespace tidegate::net
