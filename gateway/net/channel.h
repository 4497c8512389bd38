// What carries a connection's bytes where that is more than its socket: TLS, WebSocket, a proxy's header before them.
//
// A plain connection has none and talks to its socket directly, so the seam costs it one comparison. No call blocks and
// none calls back. A channel holds no buffer while nothing is on its way. Thread: the core's.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tidegate::net {

enum class Outcome : uint8_t {
  done,
  wants_read,   // go on when the socket is readable
  wants_write,  // go on when it is writable
  ended,        // the peer has closed
  failed,       // Channel::error says why
};

struct Progress {
  Outcome outcome = Outcome::done;
  size_t bytes = 0;  // also beside another outcome than done: take them first
};

// What a channel learnt of the client before its first packet.
struct Introduction {
  std::string peer;      // its address, if that is not the socket's
  std::string username;  // whom its certificate or key names, if the listener takes that for a user name
};

class Channel {
 public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  virtual ~Channel() = default;

  // The way to the first byte of MQTT, step by step: handshake, upgrade, header. May cost a millisecond a step.
  [[nodiscard]] virtual Outcome open() = 0;
  // After open: what it learnt. Called once.
  virtual void introduce(Introduction& /*client*/) {}
  // After open: only what it was before the bytes, and those go on by next() (or, if that is none, by the socket).
  [[nodiscard]] virtual bool is_preface() const { return false; }
  [[nodiscard]] virtual std::unique_ptr<Channel> next() { return nullptr; }

  // Up to to.size() bytes of the MQTT stream. done: there may be more, also without a further event of the socket.
  [[nodiscard]] virtual Progress read(std::span<char> to) = 0;
  // Bytes are there that no event of the socket will announce.
  [[nodiscard]] virtual bool has_pending() const = 0;
  // How many bytes of `vectors` were taken; the rest is offered again from there, and at least as much of it.
  [[nodiscard]] virtual Progress write(const iovec* vectors, int count) = 0;
  // The channel itself has something to say: write, with or without vectors.
  [[nodiscard]] virtual bool has_output() const { return false; }
  // The last word, as far as the socket takes it at once. `going_away`: the gateway stops.
  virtual void end(bool /*going_away*/) {}
  // Of the step that failed.
  [[nodiscard]] virtual std::string error() const = 0;
};

}  // namespace tidegate::net
