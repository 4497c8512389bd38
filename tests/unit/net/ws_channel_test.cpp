// What a WebSocket's peer gets of the packets that a connection writes.
#include "gateway/net/ws_channel.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tidegate::net {
namespace {

using namespace std::string_literals;

// A socket whose peer is the test. It takes `room` bytes, then wants to be asked again.
struct Socket final : Channel {
  Outcome open() override { return Outcome::done; }
  Progress read(std::span<char> to) override {
    size_t n = in.copy(to.data(), to.size());
    in.erase(0, n);
    return {in.empty() ? Outcome::wants_read : Outcome::done, n};
  }
  bool has_pending() const override { return false; }
  Progress write(const iovec* vectors, int count) override {
    size_t n = 0;
    for (int i = 0; i < count; ++i) {
      size_t fits = std::min(vectors[i].iov_len, room - n);
      out.append(static_cast<const char*>(vectors[i].iov_base), fits);
      n += fits;
    }
    room -= n;
    return {room == 0 ? Outcome::wants_write : Outcome::done, n};
  }
  std::string error() const override { return {}; }

  std::string in, out;
  size_t room = SIZE_MAX;
};

class WsChannelTest : public testing::Test {
 protected:
  WsChannelTest() {
    auto made = std::make_unique<Socket>();
    socket = made.get();
    channel = std::make_unique<WsChannel>(std::move(made), options, 100'000);
    socket->in =
        "GET /mqtt HTTP/1.1\r\nHost: gw\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
    EXPECT_EQ(channel->open(), Outcome::done);
    socket->out.clear();
  }

  // As a connection does: in vectors of `piece` bytes, a few at once, again from where it was taken, while the socket
  // takes `room` bytes a time.
  void write(const std::string& bytes, size_t piece, size_t room) {
    size_t at = 0;
    for (int turn = 0; at < bytes.size() || channel->has_output(); ++turn) {
      ASSERT_LT(turn, 1'000'000);
      socket->room = room;
      std::vector<iovec> vectors;
      for (size_t from = at; from < bytes.size() && vectors.size() < 64; from += piece) {
        vectors.push_back({const_cast<char*>(bytes.data()) + from, std::min(piece, bytes.size() - from)});
      }
      at += channel->write(vectors.data(), static_cast<int>(vectors.size())).bytes;
    }
  }

  WsOptions options{{"/mqtt"}, {}};
  Socket* socket = nullptr;
  std::unique_ptr<WsChannel> channel;
};

std::string packet(size_t body) {
  std::string out = "\x30"s;
  for (size_t left = body;;) {
    out += static_cast<char>(left % 128 | (left > 127 ? 128 : 0));
    if ((left /= 128) == 0) break;
  }
  for (size_t i = 0; i < body; ++i) out += static_cast<char>(i * 31 + body);
  return out;
}

std::string framed(const std::string& payload) {
  std::string out;
  append_ws_header(out, payload.size());
  return out + payload;
}

TEST_F(WsChannelTest, EachPacketIsAFrame) {
  std::string bytes, wire;
  for (size_t body : {0, 2, 0, 123, 124, 1000, 2, 16'372, 16'384, 70'000, 3, 0}) {
    bytes += packet(body);
    wire += framed(packet(body));
  }
  for (size_t piece : {1, 2, 7, 1000, 1'000'000}) {
    for (size_t room : {7, 100, 16'384, 1'000'000}) {
      socket->out.clear();
      write(bytes, piece, room);
      EXPECT_TRUE(socket->out == wire) << "in pieces of " << piece << ", room for " << room;
    }
  }
}

TEST_F(WsChannelTest, PongsGoBetweenFramesOnly) {
  const std::string large = packet(50'000);
  iovec all{const_cast<char*>(large.data()), large.size()};
  socket->room = 20'000;
  size_t taken = channel->write(&all, 1).bytes;
  socket->in = "\x89\x82\0\0\0\0hi"s;  // a ping
  char nothing[100];
  EXPECT_EQ(channel->read(nothing).bytes, 0u);
  write(large.substr(taken), 1000, 1'000'000);
  EXPECT_TRUE(socket->out == framed(large) + "\x8a\x02hi"s);
}

}  // namespace
}  // namespace tidegate::net
