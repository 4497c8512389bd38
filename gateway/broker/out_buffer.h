// What is to be written to one connection: bytes of our own, and payloads too large to copy, shared with others.
//
// The order of appends is the order of writing. Thread: the core's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/message.h"

namespace tidegate::broker {

class OutBuffer {
 public:
  // Payloads from this size on are shared instead of copied.
  static constexpr size_t share_from = 4096;

  // A payload that stands in the output after `after` bytes of own().
  struct Shared {
    size_t after;
    MessagePtr message;
  };

  // Append to this string at will.
  [[nodiscard]] std::string& own() { return own_; }
  void append_payload(MessagePtr message) {
    shared_bytes_ += message->payload.size();
    shared_.push_back({own_.size(), std::move(message)});
  }

  [[nodiscard]] bool empty() const { return own_.empty() && shared_.empty(); }
  [[nodiscard]] uint64_t bytes() const { return own_.size() + shared_bytes_; }
  [[nodiscard]] const std::string& own() const { return own_; }
  [[nodiscard]] const std::vector<Shared>& shared() const { return shared_; }
  void clear() {
    own_.clear();
    shared_.clear();
    shared_bytes_ = 0;
  }

 private:
  std::string own_;
  std::vector<Shared> shared_;
  uint64_t shared_bytes_ = 0;
};

}  // namespace tidegate::broker
