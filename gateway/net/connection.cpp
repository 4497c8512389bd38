#include "gateway/net/connection.h"

#include <sys/socket.h>

#include <array>
#include <utility>

#include "gateway/net/core_loop.h"

namespace tidegate::net {
namespace {

constexpr int vectors_max = 64;
constexpr size_t kept_input_max = 4096;  // capacity kept for the next incomplete packet

// Bytes written; -1 with errno EAGAIN: none now.
ssize_t write_vectors(int fd, const iovec* vectors, int count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(vectors);
  message.msg_iovlen = static_cast<size_t>(count);
  ssize_t n;
  do n = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n;
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

}  // namespace

Connection::Connection(CoreLoop& loop, Socket socket, ConnId id, Listener* listener)
    : loop_(loop), socket_(std::move(socket)), id_(id), listener_(listener) {}

broker::OutBuffer* Connection::buffer() {
  if (!out_) {
    out_ = loop_.borrow_buffer();
    loop_.mark_dirty(id_);
  }
  return out_.get();
}

void Connection::start_reading() {
  if (reading_ || paused_ || closing_ || failed_) return;
  if (unsent_bytes() > listener_->options().policy.limits.output_bytes_max) return;  // flush goes on when it may
  reading_ = true;
  socket_.async_wait(Socket::wait_read, [this, id = id_, loop = &loop_](const error_code& error) {
    if (loop->find(id) == this) readable(error);
  });
}

void Connection::readable(const error_code& error) {
  reading_ = false;
  if (closing_ || failed_) return;
  if (error) return fail(error);
  loop_.enter_turn();
  std::span<char> scratch = loop_.scratch();
  error_code read_error;
  size_t n = socket_.read_some(asio::buffer(scratch.data(), scratch.size()), read_error);
  if (read_error == asio::error::would_block || read_error == asio::error::try_again) return start_reading();
  if (read_error) return fail(read_error);
  feed({scratch.data(), n});
  start_reading();
}

void Connection::feed(std::string_view bytes) {
  if (in_.empty()) {
    size_t used = hand_over(bytes);
    if (used < bytes.size() && !closing_) in_.assign(bytes.substr(used));
    return;
  }
  in_.append(bytes);
  in_.erase(0, hand_over(in_));
  if (in_.empty() && in_.capacity() > kept_input_max) std::string().swap(in_);
}

// Gives every complete packet to the broker; returns how many bytes it took.
size_t Connection::hand_over(std::string_view bytes) {
  size_t used = 0;
  while (used < bytes.size() && !closing_) {
    mqtt::Frame frame = mqtt::frame(bytes.substr(used), listener_->options().policy.limits.packet_bytes_max);
    if (frame.state == mqtt::Frame::State::incomplete) {
      if (bytes.data() != in_.data() && frame.size > in_.capacity()) in_.reserve(frame.size);
      break;
    }
    if (loop_.broker().packet(id_, frame) == broker::Taken::not_now) {
      paused_ = true;
      break;
    }
    used += frame.size;
    if (frame.state != mqtt::Frame::State::complete) break;  // the broker has closed
  }
  return used;
}

void Connection::resume() {
  if (!paused_ || closing_ || failed_) return;
  paused_ = false;
  in_.erase(0, hand_over(in_));
  start_reading();
}

bool Connection::flush() {
  if (failed_) return true;
  bool ok = true;
  if (unsent_ && !unsent_->empty()) {
    if (out_ && !out_->empty()) unsent_->append(*out_, 0);
    ok = write_unsent();
  } else if (out_ && !out_->empty()) {
    ok = write_out_buffer();
  }
  if (out_) loop_.give_back(std::move(out_));
  if (!ok) return true;
  bool all_written = !unsent_ || unsent_->empty();
  if (all_written) unsent_.reset();
  if (!all_written) wait_until_writable();
  start_reading();
  if (closing_ && all_written) {
    error_code ignored;
    socket_.shutdown(Socket::shutdown_both, ignored);
    return true;
  }
  return false;
}

bool Connection::write_out_buffer() {
  std::array<iovec, vectors_max> vectors;
  int count = gather(*out_, vectors.data(), vectors_max);
  ssize_t n = 0;
  if (count > 0) n = write_vectors(socket_.native_handle(), vectors.data(), count);
  if (n < 0 && !would_block()) {
    fail(error_code(errno, boost::system::system_category()));
    return false;
  }
  uint64_t written = n < 0 ? 0 : static_cast<uint64_t>(n);
  loop_.count_sent(written);
  if (written == out_->bytes()) return true;
  unsent_ = std::make_unique<Unsent>();
  unsent_->append(*out_, written);
  return count > 0 || write_unsent();
}

bool Connection::write_unsent() {
  while (!unsent_->empty()) {
    std::array<iovec, vectors_max> vectors;
    int count = unsent_->gather(vectors.data(), vectors_max);
    ssize_t n = write_vectors(socket_.native_handle(), vectors.data(), count);
    if (n < 0) {
      if (would_block()) return true;
      fail(error_code(errno, boost::system::system_category()));
      return false;
    }
    loop_.count_sent(static_cast<uint64_t>(n));
    unsent_->consume(static_cast<uint64_t>(n));
  }
  return true;
}

void Connection::wait_until_writable() {
  if (writable_wait_) return;
  writable_wait_ = true;
  socket_.async_wait(Socket::wait_write, [this, id = id_, loop = &loop_](const error_code& error) {
    if (loop->find(id) != this) return;
    writable_wait_ = false;
    if (error) return fail(error);
    loop->enter_turn();
    loop->mark_dirty(id);
  });
}

void Connection::fail(const error_code& error) {
  if (failed_) return;
  failed_ = true;
  loop_.enter_turn();
  if (!closing_) {
    bool orderly = error == asio::error::eof;
    loop_.broker().closed(id_, orderly ? "the client closed the connection" : error.message());
  }
  closing_ = true;
  loop_.mark_dirty(id_);  // destroyed at the end of the turn
}

}  // namespace tidegate::net
