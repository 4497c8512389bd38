// One MQTT connection over a non-blocking socket: handshake, packets in, bytes out. No sessions, no retries: what a
// lost connection or an acknowledgement means is the business of the owner. One thread, the loop's.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/link.h"
#include "tests/bench/loop.h"
#include "tests/bench/wire.h"

namespace bench {

struct ClientOptions {
  ConnectRequest connect;
  Path path{};
};

class Client final : public Pollable {
 public:
  // Called from Loop::poll. A client may be closed in a callback, but not destroyed.
  class Events {
   public:
    virtual void on_up(Client& client, const Connack& connack) = 0;
    virtual void on_subscribed(Client& client) { (void)client; }
    virtual void on_publish(Client& client, const Publish& publish) {
      (void)client;
      (void)publish;
    }
    // PUBACK, PUBREC, PUBREL or PUBCOMP. The client answers none of them by itself.
    virtual void on_ack(Client& client, PacketType type, const Ack& ack) {
      (void)client;
      (void)type;
      (void)ack;
    }
    // Refused, lost or malformed; never after close().
    virtual void on_down(Client& client, const std::string& why) = 0;

   protected:
    ~Events() = default;
  };

  Client(Loop& loop, Events& events, ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // REQUIRES: not open. May be called again after on_down or close, but not from on_down.
  void open(const Address& address);
  // Sends DISCONNECT where the socket takes it.
  void close();
  // The link has gone: nobody says anything. May be opened again.
  void cut();

  // on_subscribed comes when every filter is granted; a refused one brings the connection down.
  void subscribe(std::span<const std::string> filters, uint8_t qos);
  void publish(const PublishRequest& request, std::string_view payload);
  void acknowledge(PacketType type, uint16_t id);
  // publish and acknowledge only append; packets that arrive flush by themselves when all of a read are handled.
  void flush();

  [[nodiscard]] bool up() const { return up_; }
  [[nodiscard]] bool open() const { return link_.is_open(); }
  [[nodiscard]] size_t bytes_unsent() const { return out_.size() - out_sent_; }
  [[nodiscard]] const std::string& id() const { return options_.connect.client_id; }

 private:
  void on_ready(uint32_t epoll_events) override;
  void read();
  size_t take_frames(std::string_view in);
  void handle(const Frame& frame);
  void handle_connack(const Frame& frame);
  void handle_suback(const Frame& frame);
  void go_down(const std::string& why);
  void forget();
  void watch(uint32_t epoll_events);

  Loop& loop_;
  Events& events_;
  ClientOptions options_;
  Link link_;
  uint32_t watched_ = 0;
  bool up_ = false;
  size_t subacks_pending_ = 0;
  std::string in_;  // an incomplete packet; empty, and without memory, in an idle client
  std::string out_;
  size_t out_sent_ = 0;
};

}  // namespace bench
