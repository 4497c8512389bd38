#include "gateway/net/connection.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/post.hpp>
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

constexpr std::string_view closed_by_client = "the client closed the connection";

}  // namespace

Connection::Connection(CoreLoop& loop, Socket socket, ConnId id, Listener* listener, std::unique_ptr<Channel> channel)
    : loop_(loop),
      socket_(std::move(socket)),
      id_(id),
      listener_(listener),
      channel_(std::move(channel)),
      opening_(channel_ != nullptr) {}

broker::OutBuffer* Connection::buffer() {
  if (!out_) {
    out_ = loop_.borrow_buffer();
    loop_.mark_dirty(id_);
  }
  return out_.get();
}

bool Connection::has_unread() const {
  error_code unknown;
  return socket_.available(unknown) > 0;
}

void Connection::start_reading() {
  if (reading_ || paused_ || closing_ || failed_ || is_backed_up()) return;  // flush goes on when it may
  reading_ = true;
  auto go_on = [this, id = id_, loop = &loop_](const error_code& error) {
    if (loop->find(id) == this) readable(error);
  };
  if (channel_ && channel_->has_pending()) {
    asio::post(socket_.get_executor(), [go_on] { go_on({}); });
  } else {
    socket_.async_wait(Socket::wait_read, go_on);
  }
}

void Connection::readable(const error_code& error) {
  reading_ = false;
  if (closing_ || failed_) return;
  if (error) return fail(error.message());
  loop_.enter_turn();
  if (opening_) {
    loop_.queue_opening(id_);
  } else if (channel_) {
    read_channel();
  } else {
    read_socket();
  }
}

void Connection::read_socket() {
  std::span<char> scratch = loop_.scratch();
  error_code error;
  size_t n = socket_.read_some(asio::buffer(scratch.data(), scratch.size()), error);
  if (error == asio::error::would_block || error == asio::error::try_again) return start_reading();
  if (error) return fail(error == asio::error::eof ? closed_by_client : error.message());
  feed({scratch.data(), n});
  start_reading();
}

void Connection::read_channel() {
  std::span<char> scratch = loop_.scratch();
  Progress got = channel_->read(scratch);
  if (got.bytes > 0) feed({scratch.data(), got.bytes});
  if (channel_->has_output() || unsent_) loop_.mark_dirty(id_);  // what waited may have waited for these bytes
  if (closing_) return;
  if (got.outcome == Outcome::failed) return fail(channel_->error());
  if (got.outcome == Outcome::ended) return fail(closed_by_client);
  start_reading();
}

void Connection::open_step() {
  while (opening_ && !closing_ && !failed_) {
    switch (channel_->open()) {
      case Outcome::wants_read: return start_reading();
      case Outcome::wants_write: return wait_until_writable();
      case Outcome::ended: return fail(closed_by_client);
      case Outcome::failed: return loop_.broker().refuse(id_, channel_->error());
      case Outcome::done: opened();
    }
  }
}

void Connection::opened() {
  Introduction client;
  channel_->introduce(client);
  loop_.broker().introduce(id_, client.peer, std::move(client.username));
  if (!client.peer.empty() && !loop_.admit(id_, *listener_, client.peer)) return;
  if (channel_->is_preface()) {
    channel_ = channel_->next();
    if (channel_) return;  // goes on with the step after it
  }
  opening_ = false;
  start_reading();
}

void Connection::feed(std::string_view bytes) {
  loop_.count_received(bytes.size());
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
      loop_.broker().begun(id_, bytes.substr(used));
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

bool Connection::is_backed_up() const {
  return unsent_bytes() > listener_->options().policy.limits.output_bytes_max;
}

bool Connection::flush() {
  if (failed_) return true;
  if (opening_) return closing_;  // nobody has anything to say yet
  bool ok = true;
  if (unsent_ && !unsent_->empty()) {
    if (out_ && !out_->empty()) unsent_->append(*out_, 0);
    ok = write_unsent();
  } else if (out_ && !out_->empty()) {
    ok = write_out_buffer();
  }
  if (out_) loop_.give_back(std::move(out_));
  if (ok && channel_ && channel_->has_output()) ok = write_channels_own();
  if (!ok) return true;
  bool all_written = !unsent_ || unsent_->empty();
  if (all_written) unsent_.reset();
  if (channel_ && channel_->has_output()) all_written = false;
  if (!all_written) wait_until_writable();
  if (paused_ && !is_backed_up()) loop_.resume(id_);  // what was not taken may have waited for this
  start_reading();
  if (closing_ && all_written) {
    if (channel_) channel_->end(loop_.is_stopping());
    error_code ignored;
    socket_.shutdown(Socket::shutdown_both, ignored);
    return true;
  }
  return false;
}

// Bytes taken; none: the connection has failed.
std::optional<size_t> Connection::write_some(const iovec* vectors, int count) {
  if (channel_) {
    Progress taken = channel_->write(vectors, count);
    if (taken.outcome == Outcome::failed) {
      fail(channel_->error());
      return {};
    }
    return taken.bytes;
  }
  ssize_t n = write_vectors(socket_.native_handle(), vectors, count);
  if (n < 0 && !would_block()) {
    fail(error_code(errno, boost::system::system_category()).message());
    return {};
  }
  return n < 0 ? 0 : static_cast<size_t>(n);
}

bool Connection::write_out_buffer() {
  std::array<iovec, vectors_max> vectors;
  int count = gather(*out_, vectors.data(), vectors_max);
  size_t written = 0;
  if (count > 0) {
    auto taken = write_some(vectors.data(), count);
    if (!taken) return false;
    written = *taken;
  }
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
    auto taken = write_some(vectors.data(), count);
    if (!taken) return false;
    if (*taken == 0) return true;
    loop_.count_sent(*taken);
    unsent_->consume(*taken);
  }
  return true;
}

bool Connection::write_channels_own() {
  return write_some(nullptr, 0).has_value();
}

void Connection::wait_until_writable() {
  if (writable_wait_) return;
  writable_wait_ = true;
  socket_.async_wait(Socket::wait_write, [this, id = id_, loop = &loop_](const error_code& error) {
    if (loop->find(id) != this) return;
    writable_wait_ = false;
    if (error) return fail(error.message());
    loop->enter_turn();
    if (opening_) return loop->queue_opening(id);
    loop->mark_dirty(id);
  });
}

void Connection::fail(std::string_view why) {
  if (failed_) return;
  failed_ = true;
  loop_.enter_turn();
  if (!closing_) loop_.broker().closed(id_, why);
  if (channel_ && !opening_) channel_->end(false);
  closing_ = true;
  loop_.mark_dirty(id_);  // destroyed at the end of the turn
}

}  // namespace tidegate::net
