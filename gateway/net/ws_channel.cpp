#include "gateway/net/ws_channel.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace tidegate::net {
namespace {

constexpr int vectors_max = 65;  // those of a connection and the head

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
  head_ = answer.response;
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
  uint64_t offered = 0;
  for (int i = 0; i < count; ++i) offered += vectors[i].iov_len;
  if (frame_left_ == 0) {
    head_ += decoder_.replies;
    decoder_.replies.clear();
    if (offered > 0) append_ws_header(head_, offered);
    frame_left_ = offered;
  }
  std::array<iovec, vectors_max> all;
  int used = 0;
  if (!head_.empty()) all[static_cast<size_t>(used++)] = {head_.data(), head_.size()};
  uint64_t room = frame_left_;
  for (int i = 0; i < count && room > 0 && used < vectors_max; ++i) {
    auto n = static_cast<size_t>(std::min<uint64_t>(vectors[i].iov_len, room));
    all[static_cast<size_t>(used++)] = {vectors[i].iov_base, n};
    room -= n;
  }
  if (used == 0) return {};
  Progress written = below_->write(all.data(), used);
  size_t of_head = std::min(written.bytes, head_.size());
  head_.erase(0, of_head);
  if (head_.empty()) std::string().swap(head_);
  written.bytes -= of_head;
  frame_left_ -= written.bytes;
  return written;
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
