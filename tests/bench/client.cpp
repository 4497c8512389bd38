#include "tests/bench/client.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace bench {
namespace {

constexpr size_t filters_per_subscribe = 100;

}  // namespace

Client::Client(Loop& loop, Events& events, ClientOptions options)
    : loop_(loop), events_(events), options_(std::move(options)) {}

Client::~Client() = default;

void Client::open(const Address& address) {
  link_.open(address, options_.path);
  append_connect(out_, options_.connect);
  watched_ = EPOLLIN | EPOLLOUT;
  loop_.add(link_.fd(), watched_, *this);
}

void Client::close() {
  if (!open()) return;
  if (up_) {
    append_disconnect(out_);
    flush();
  }
  link_.close();
  forget();
}

void Client::cut() {
  link_.cut();
  forget();
}

void Client::forget() {
  up_ = false;
  subacks_pending_ = 0;
  in_ = {};
  out_ = {};
  out_sent_ = 0;
}

void Client::go_down(const std::string& why) {
  if (!open()) return;
  link_.close();
  forget();
  events_.on_down(*this, why);
}

void Client::subscribe(std::span<const std::string> filters, uint8_t qos) {
  uint16_t id = 1;
  for (size_t at = 0; at < filters.size(); at += filters_per_subscribe) {
    auto part = filters.subspan(at, std::min(filters_per_subscribe, filters.size() - at));
    append_subscribe(out_, options_.connect.version, id++, part, qos);
    ++subacks_pending_;
  }
  flush();
}

void Client::publish(const PublishRequest& request, std::string_view payload) {
  append_publish(out_, options_.connect.version, request, payload);
}

void Client::acknowledge(PacketType type, uint16_t id) {
  append_ack(out_, type, id);
}

void Client::watch(uint32_t epoll_events) {
  if (watched_ == epoll_events) return;
  watched_ = epoll_events;
  loop_.change(link_.fd(), watched_, *this);
}

void Client::flush() {
  if (!open()) return;
  while (out_sent_ < out_.size()) {
    ssize_t sent = link_.send(out_.data() + out_sent_, out_.size() - out_sent_);
    // A lost connection shows as EPOLLIN or EPOLLHUP, too; on_down is called from there, never from flush.
    if (sent < 0) return;
    if (sent == 0) return watch(EPOLLIN | link_.awaited());
    out_sent_ += static_cast<size_t>(sent);
  }
  out_.clear();
  out_sent_ = 0;
  watch(EPOLLIN);
}

void Client::on_ready(uint32_t epoll_events) {
  if (!open()) return;  // closed by the callback of another client, in the same turn
  if ((epoll_events & EPOLLERR) != 0) {
    int code = 0;
    socklen_t size = sizeof(code);
    getsockopt(link_.fd(), SOL_SOCKET, SO_ERROR, &code, &size);
    go_down(code != 0 ? std::strerror(code) : "socket error");
    return;
  }
  if ((epoll_events & EPOLLOUT) != 0) flush();
  if ((epoll_events & (EPOLLIN | EPOLLHUP)) != 0) read();
}

void Client::read() {
  static thread_local std::array<char, 65536> scratch;
  ssize_t got = link_.receive(scratch.data(), scratch.size());
  if (got < 0) return go_down(std::string(link_.why()));
  if (got == 0) return flush();  // a handshake may have gone on
  std::string_view fresh(scratch.data(), static_cast<size_t>(got));
  if (in_.empty()) {
    size_t used = take_frames(fresh);
    if (open() && used < fresh.size()) in_.assign(fresh.substr(used));
  } else {
    in_.append(fresh);
    // Taken out of the member: a callback may close this client, and the frames point into these bytes.
    std::string joined = std::move(in_);
    in_.clear();
    size_t used = take_frames(joined);
    if (open() && used < joined.size()) in_ = joined.erase(0, used);
  }
  flush();
}

size_t Client::take_frames(std::string_view in) {
  size_t used = 0;
  while (open()) {
    Frame frame{};
    FrameState state = next_frame(in.substr(used), frame);
    if (state == FrameState::incomplete) break;
    if (state == FrameState::malformed) {
      go_down("malformed packet from the broker");
      break;
    }
    used += frame.size;
    handle(frame);
  }
  return used;
}

void Client::handle(const Frame& frame) {
  switch (frame.type) {
    case PacketType::publish: {
      auto publish = parse_publish(options_.connect.version, frame);
      if (!publish) return go_down("malformed PUBLISH from the broker");
      return events_.on_publish(*this, *publish);
    }
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp: {
      auto ack = parse_ack(frame.body);
      if (!ack) return go_down("malformed acknowledgement from the broker");
      return events_.on_ack(*this, frame.type, *ack);
    }
    case PacketType::connack: return handle_connack(frame);
    case PacketType::suback: return handle_suback(frame);
    case PacketType::pingresp: return;
    case PacketType::disconnect: {
      unsigned code = frame.body.empty() ? 0 : static_cast<uint8_t>(frame.body[0]);
      return go_down("the broker sent DISCONNECT " + std::to_string(code));
    }
    default: return go_down("a packet that no broker sends");
  }
}

void Client::handle_connack(const Frame& frame) {
  auto connack = parse_connack(options_.connect.version, frame.body);
  if (!connack) return go_down("malformed CONNACK");
  if (connack->code != 0) return go_down("refused by CONNACK code " + std::to_string(connack->code));
  up_ = true;
  events_.on_up(*this, *connack);
}

void Client::handle_suback(const Frame& frame) {
  auto worst = parse_suback(options_.connect.version, frame.body);
  if (!worst || *worst >= 0x80) return go_down("a subscription was refused");
  if (subacks_pending_ > 0 && --subacks_pending_ == 0) events_.on_subscribed(*this);
}

}  // namespace bench
