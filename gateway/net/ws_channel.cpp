#include "gateway/net/ws_channel.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "gateway/mqtt/framer.h"

namespace tidegate::net {
namespace {

constexpr size_t wire_bytes_max = 16384;     // written at once: a TLS record
constexpr size_t header_bytes_max = 10;      // of a frame of ours
constexpr size_t packet_head_bytes_max = 5;  // MQTT's fixed header

// What a connection offers, from front to back.
class Offered {
 public:
  Offered(const iovec* vectors, int count) : vectors_(vectors), end_(vectors + count) {}

  // The size of the packet that begins here; 0: its fixed header is not all there.
  [[nodiscard]] size_t packet_size() const {
    std::array<char, packet_head_bytes_max> head;
    Offered ahead = *this;
    size_t n = ahead.take(head.data(), head.size());
    return mqtt::frame({head.data(), n}, SIZE_MAX).size;
  }

  size_t take(char* to, size_t room) {
    size_t taken = 0;
    while (taken < room && vectors_ != end_) {
      size_t n = std::min(room - taken, vectors_->iov_len - skip_);
      std::memcpy(to + taken, static_cast<const char*>(vectors_->iov_base) + skip_, n);
      taken += n;
      skip_ += n;
      if (skip_ == vectors_->iov_len) ++vectors_, skip_ = 0;
    }
    return taken;
  }

 private:
  const iovec* vectors_;
  const iovec* end_;
  size_t skip_ = 0;  // of *vectors_
};

}  // namespace

Outcome WsChannel::open() {
  if (!below_is_open_) {
    Outcome outcome = below_->open();
    if (outcome != Outcome::done) return outcome;
    below_is_open_ = true;
  }
  char bytes[2048];
  for (;;) {
    Progress got = below_->read(bytes);
    size_t searched = early_.size() > 3 ? early_.size() - 3 : 0;
    early_.append(bytes, got.bytes);
    size_t end = early_.find("\r\n\r\n", searched);
    if (end != std::string::npos && end + 4 <= ws_head_bytes_max) {
      std::string head = early_.substr(0, end + 4);
      early_.erase(0, end + 4);
      return answer(answer_upgrade(head, options_));
    }
    if (early_.size() > ws_head_bytes_max) return answer(answer_too_large());
    if (got.outcome != Outcome::done) return got.outcome;
  }
}

Outcome WsChannel::answer(const WsAnswer& answer) {
  wire_ = answer.response;
  Progress written = write(nullptr, 0);
  if (written.outcome == Outcome::failed) return Outcome::failed;
  if (answer.accepted) return Outcome::done;
  error_ = answer.why;
  below_->end(false);
  return Outcome::failed;
}

Progress WsChannel::read(std::span<char> to) {
  Progress got;
  if (!early_.empty()) {
    got.bytes = std::min(early_.size(), to.size());
    std::memcpy(to.data(), early_.data(), got.bytes);
    early_.erase(0, got.bytes);
    if (early_.empty()) std::string().swap(early_);
  } else {
    got = below_->read(to);
  }
  got.bytes = decoder_.decode(to.first(got.bytes));
  if (!decoder_.has_ended()) return got;
  has_closed_ = true;  // the answer is among the replies
  got.outcome = Outcome::ended;
  if (decoder_.error()) {
    error_ = std::string("WebSocket: ") + decoder_.error();
    got.outcome = Outcome::failed;
  }
  return got;
}

// A frame once begun is finished with the bytes that are offered next; pongs and closes go between frames.
Progress WsChannel::write(const iovec* vectors, int count) {
  Offered offered(vectors, count);
  size_t taken = 0;
  for (;;) {
    if (frame_left_ == 0) {
      wire_ += decoder_.replies;
      decoder_.replies.clear();
    }
    if (!wire_.empty()) {
      Progress written = write_below(wire_.data(), wire_.size());
      wire_.erase(0, written.bytes);
      if (!wire_.empty()) return {written.outcome, taken};
      std::string().swap(wire_);
    }
    char wire[wire_bytes_max];
    size_t size = 0;
    while (size + header_bytes_max < sizeof wire) {
      if (frame_left_ == 0) {
        frame_left_ = offered.packet_size();
        if (frame_left_ == 0) break;
        std::string header;
        append_ws_header(header, frame_left_);
        size += header.copy(wire + size, header.size());
      }
      size_t n = offered.take(wire + size, std::min<uint64_t>(frame_left_, sizeof wire - size));
      if (n == 0) break;
      size += n;
      taken += n;
      frame_left_ -= n;
    }
    if (size == 0) return {Outcome::done, taken};
    Progress written = write_below(wire, size);
    wire_.assign(wire + written.bytes, size - written.bytes);
    if (!wire_.empty()) return {written.outcome, taken};
  }
}

Progress WsChannel::write_below(char* from, size_t size) {
  iovec all{from, size};
  return below_->write(&all, 1);
}

void WsChannel::end(bool going_away) {
  if (!below_is_open_) return;
  if (!has_closed_ && frame_left_ == 0 && error_.empty()) {
    append_ws_close(decoder_.replies, going_away ? WsClose::going_away : WsClose::normal);
    has_closed_ = true;
  }
  if (has_output()) (void)write(nullptr, 0);
  below_->end(going_away);
}

}  // namespace tidegate::net
