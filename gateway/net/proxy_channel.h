// A proxy's header before everything else. Once it is read, what it stood before goes on in its place.
#pragma once

#include <memory>
#include <string>

#include "gateway/net/channel.h"

namespace tidegate::net {

class ProxyChannel final : public Channel {
 public:
  // `next`: what comes after the header; none: the socket itself. `socket` outlives this.
  ProxyChannel(int socket, std::unique_ptr<Channel> next) : socket_(socket), next_(std::move(next)) {}

  Outcome open() override;
  void introduce(Introduction& client) override { client.peer = std::move(client_); }
  [[nodiscard]] bool is_preface() const override { return true; }
  [[nodiscard]] std::unique_ptr<Channel> next() override { return std::move(next_); }
  [[nodiscard]] std::string error() const override { return error_; }

  // Never called: it is a preface.
  Progress read(std::span<char>) override { return {Outcome::failed, 0}; }
  [[nodiscard]] bool has_pending() const override { return false; }
  Progress write(const iovec*, int) override { return {Outcome::failed, 0}; }

 private:
  const int socket_;
  std::unique_ptr<Channel> next_;
  std::string seen_;  // the header's beginning
  std::string client_;
  std::string error_;
};

}  // namespace tidegate::net
