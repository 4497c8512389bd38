// One connection: bytes in, cut into packets for the broker; bytes out, written once per turn. What carries the bytes is
// its socket, or a channel on it.
//
// An idle connection holds no buffer: it reads into the loop's scratch and borrows an out buffer while it has something
// to write. Owned by the core loop, addressed by ConnId. Thread: the core's.
#pragma once

#include <sys/uio.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/ids.h"
#include "gateway/broker/out_buffer.h"
#include "gateway/net/channel.h"
#include "gateway/net/socket.h"
#include "gateway/net/unsent.h"

namespace tidegate::net {

class CoreLoop;
class Listener;

class Connection {
 public:
  Connection(CoreLoop& loop, Socket socket, ConnId id, Listener* listener, std::unique_ptr<Channel> channel);

  [[nodiscard]] ConnId id() const { return id_; }
  [[nodiscard]] Listener* listener() const { return listener_; }
  [[nodiscard]] broker::OutBuffer* buffer();
  [[nodiscard]] uint64_t unsent_bytes() const { return (out_ ? out_->bytes() : 0) + (unsent_ ? unsent_->bytes() : 0); }

  // Something of the client's waits here.
  [[nodiscard]] bool has_unread() const;
  void start_reading();
  // One step on the way to the first byte of MQTT; the loop calls it when its turn has time for one.
  void open_step();
  // Feeds again what the broker did not take.
  void resume();
  // Nothing more is read; closed once everything is written, or after a while.
  void close_after_writing() { closing_ = true; }
  [[nodiscard]] bool is_closing() const { return closing_; }
  // Writes what has gathered in this turn. True: all is written and the connection is to be closed: destroy it.
  [[nodiscard]] bool flush();

 private:
  void readable(const error_code& error);
  void read_socket();
  void read_channel();
  void opened();
  void feed(std::string_view bytes);
  [[nodiscard]] size_t hand_over(std::string_view bytes);
  [[nodiscard]] bool is_backed_up() const;
  [[nodiscard]] bool write_out_buffer();
  [[nodiscard]] bool write_unsent();
  [[nodiscard]] std::optional<size_t> write_some(const iovec* vectors, int count);
  [[nodiscard]] bool write_channels_own();
  void wait_until_writable();
  void fail(std::string_view why);

  CoreLoop& loop_;
  Socket socket_;
  const ConnId id_;
  Listener* const listener_;
  std::unique_ptr<Channel> channel_;        // none: the socket itself
  std::string in_;                          // an incomplete packet, or what the broker did not take
  std::unique_ptr<broker::OutBuffer> out_;  // borrowed from the loop
  std::unique_ptr<Unsent> unsent_;
  bool opening_ = false;  // the channel's way to the first byte of MQTT
  bool reading_ = false;  // a wait for bytes is pending
  bool paused_ = false;   // the broker did not take the packet at the front of in_
  bool writable_wait_ = false;
  bool closing_ = false;
  bool failed_ = false;
};

}  // namespace tidegate::net
