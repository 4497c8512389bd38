// A socket as a channel, for what stands on one: WebSocket without TLS.
#pragma once

#include "gateway/net/channel.h"

namespace tidegate::net {

class PlainChannel final : public Channel {
 public:
  explicit PlainChannel(int socket) : socket_(socket) {}

  Outcome open() override { return Outcome::done; }
  Progress read(std::span<char> to) override;
  [[nodiscard]] bool has_pending() const override { return false; }
  Progress write(const iovec* vectors, int count) override;
  [[nodiscard]] std::string error() const override { return error_; }

 private:
  const int socket_;
  std::string error_;
};

}  // namespace tidegate::net
