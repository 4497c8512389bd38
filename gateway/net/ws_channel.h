// MQTT in WebSocket's binary frames (MQTT 6), on a socket or on TLS. One frame for what a connection writes at once;
// compression is not offered.
#pragma once

#include <memory>
#include <string>

#include "gateway/net/channel.h"
#include "gateway/net/ws_frames.h"
#include "gateway/net/ws_upgrade.h"

namespace tidegate::net {

class WsChannel final : public Channel {
 public:
  // `options` outlives this.
  WsChannel(std::unique_ptr<Channel> below, const WsOptions& options, uint64_t frame_bytes_max)
      : below_(std::move(below)), options_(options), decoder_(frame_bytes_max) {}

  Outcome open() override;
  void introduce(Introduction& client) override { below_->introduce(client); }
  Progress read(std::span<char> to) override;
  [[nodiscard]] bool has_pending() const override { return !early_.empty() || below_->has_pending(); }
  Progress write(const iovec* vectors, int count) override;
  [[nodiscard]] bool has_output() const override { return !head_.empty() || !decoder_.replies.empty(); }
  void end(bool going_away) override;
  [[nodiscard]] std::string error() const override { return error_.empty() ? below_->error() : error_; }

 private:
  [[nodiscard]] Outcome answer(const WsAnswer& answer);

  std::unique_ptr<Channel> below_;
  const WsOptions& options_;
  bool below_is_open_ = false;
  WsDecoder decoder_;
  std::string early_;        // the request; then what came behind it
  std::string head_;         // frames and headers that go before the next payload
  uint64_t frame_left_ = 0;  // payload that the header written last has promised
  bool has_closed_ = false;  // our close frame is in head_ or gone
  std::string error_;
};

}  // namespace tidegate::net
