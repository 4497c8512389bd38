// MQTT in WebSocket's binary frames (MQTT 6), on a socket or on TLS. Each packet is a frame: the standard lets several
// share one, but Paho C, up to 1.3.12 at least, then sees the second when the socket is next readable. Compression is
// not offered.
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
  [[nodiscard]] bool has_output() const override { return !wire_.empty() || !decoder_.replies.empty(); }
  void end(bool going_away) override;
  [[nodiscard]] std::string error() const override { return error_.empty() ? below_->error() : error_; }

 private:
  [[nodiscard]] Outcome answer(const WsAnswer& answer);
  [[nodiscard]] Progress write_below(char* from, size_t size);

  std::unique_ptr<Channel> below_;
  const WsOptions& options_;
  bool below_is_open_ = false;
  WsDecoder decoder_;
  std::string early_;        // the request; then what came behind it
  std::string wire_;         // what the layer below has not taken; goes before all else
  uint64_t frame_left_ = 0;  // payload that the newest header has promised
  bool has_closed_ = false;  // our close frame is in wire_ or gone
  std::string error_;
};

}  // namespace tidegate::net
