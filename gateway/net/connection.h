// One TCP connection: bytes in, cut into packets for the broker; bytes out, written once per turn.
//
// An idle connection holds no buffer: it reads into the loop's scratch and borrows an out buffer while it has something
// to write. Owned by the core loop, addressed by ConnId. Thread: the core's.
#pragma once

#include <memory>
#include <string>

#include "gateway/base/ids.h"
#include "gateway/broker/out_buffer.h"
#include "gateway/net/socket.h"
#include "gateway/net/unsent.h"

namespace tidegate::net {

class CoreLoop;
class Listener;

class Connection {
 public:
  Connection(CoreLoop& loop, Socket socket, ConnId id, Listener* listener);

  [[nodiscard]] ConnId id() const { return id_; }
  [[nodiscard]] Listener* listener() const { return listener_; }
  [[nodiscard]] broker::OutBuffer* buffer();
  [[nodiscard]] uint64_t unsent_bytes() const { return (out_ ? out_->bytes() : 0) + (unsent_ ? unsent_->bytes() : 0); }

  void start_reading();
  // Feeds again what the broker did not take.
  void resume();
  // Nothing more is read; closed once everything is written, or after a while.
  void close_after_writing() { closing_ = true; }
  [[nodiscard]] bool is_closing() const { return closing_; }
  // Writes what has gathered in this turn. True: all is written and the connection is to be closed: destroy it.
  [[nodiscard]] bool flush();

 private:
  void readable(const error_code& error);
  void feed(std::string_view bytes);
  [[nodiscard]] size_t hand_over(std::string_view bytes);
  [[nodiscard]] bool write_out_buffer();
  [[nodiscard]] bool write_unsent();
  void wait_until_writable();
  void fail(const error_code& error);

  CoreLoop& loop_;
  Socket socket_;
  const ConnId id_;
  Listener* const listener_;
  std::string in_;                          // an incomplete packet, or what the broker did not take
  std::unique_ptr<broker::OutBuffer> out_;  // borrowed from the loop
  std::unique_ptr<Unsent> unsent_;
  bool reading_ = false;  // a wait for bytes is pending
  bool paused_ = false;   // the broker did not take the packet at the front of in_
  bool writable_wait_ = false;
  bool closing_ = false;
  bool failed_ = false;
};

}  // namespace tidegate::net
