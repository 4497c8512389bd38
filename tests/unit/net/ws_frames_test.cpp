// WebSocket's frames as a server meets them (RFC 6455, 5).
#include "gateway/net/ws_frames.h"

#include <gtest/gtest.h>

namespace tidegate::net {
namespace {

using namespace std::string_literals;

constexpr uint64_t limit = 100'000;

std::string frame(unsigned first, const std::string& payload, const std::string& mask = "\x37\xfa\x21\x3d") {
  std::string out(1, static_cast<char>(first));
  size_t n = payload.size();
  if (n <= 125) {
    out += static_cast<char>(0x80 | n);
  } else if (n <= 0xFFFF) {
    out += {static_cast<char>(0xFE), static_cast<char>(n >> 8), static_cast<char>(n)};
  } else {
    out += static_cast<char>(0xFF);
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift);
  }
  out += mask;
  for (size_t i = 0; i < n; ++i) out += static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

struct Decoded {
  std::string stream, replies, error;
  bool ended = false;
  friend bool operator==(const Decoded&, const Decoded&) = default;
};

// In pieces of `step` bytes.
Decoded decode(const std::string& wire, size_t step) {
  WsDecoder decoder(limit);
  Decoded out;
  for (size_t at = 0; at < wire.size(); at += step) {
    std::string piece = wire.substr(at, step);
    size_t n = decoder.decode(piece);
    out.stream += piece.substr(0, n);
  }
  out.replies = decoder.replies;
  out.ended = decoder.has_ended();
  out.error = decoder.error() ? decoder.error() : "";
  return out;
}

Decoded decode(const std::string& wire) {
  Decoded whole = decode(wire, wire.size());
  for (size_t step : {1, 2, 3, 7, 13}) EXPECT_EQ(decode(wire, step), whole) << step;
  return whole;
}

TEST(WsFrames, PayloadsOfAnySizeBecomeOneStream) {
  std::string all, wire;
  for (size_t size : {0, 1, 7, 8, 9, 125, 126, 1000, 65535, 65536}) {
    std::string payload(size, '\0');
    for (size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(i * 31 + size);
    all += payload;
    wire += frame(0x82, payload);
  }
  Decoded got = decode(wire);
  EXPECT_EQ(got.stream, all);
  EXPECT_EQ(got.replies + got.error, "");
}

TEST(WsFrames, FragmentsAndControlFramesBetweenThem) {
  std::string wire = frame(0x02, "one") + frame(0x89, "are you there") + frame(0x00, " two") + frame(0x8a, "") +
                     frame(0x80, " three") + frame(0x82, "!");
  Decoded got = decode(wire);
  EXPECT_EQ(got.stream, "one two three!");
  EXPECT_EQ(got.replies, "\x8a\x0d"s + "are you there");
  EXPECT_FALSE(got.ended);
}

TEST(WsFrames, ACloseIsAnsweredWithItsCode) {
  EXPECT_EQ(decode(frame(0x88, "\x03\xe8"s + "bye")), (Decoded{"", "\x88\x02\x03\xe8"s, "", true}));
  EXPECT_EQ(decode(frame(0x88, "")), (Decoded{"", "\x88\0"s, "", true}));
  Decoded late = decode(frame(0x82, "before") + frame(0x88, "\x0f\xa0"s) + frame(0x82, "after"));
  EXPECT_EQ(late.stream, "before");
  EXPECT_EQ(late.replies, "\x88\x02\x0f\xa0"s);
}

TEST(WsFrames, WhoBreaksTheRulesIsToldByWhichCode) {  // [MQTT-6.0.0-1]
  auto code_of = [](const std::string& wire) {
    Decoded got = decode(wire);
    EXPECT_TRUE(got.ended && !got.error.empty());
    return static_cast<uint8_t>(got.replies.at(2)) << 8 | static_cast<uint8_t>(got.replies.at(3));
  };
  EXPECT_EQ(code_of("\x82\x01x"s), 1002) << "no mask";
  EXPECT_EQ(code_of(frame(0xC2, "x")), 1002) << "compressed";
  EXPECT_EQ(code_of(frame(0x83, "x")), 1002) << "unknown kind";
  EXPECT_EQ(code_of(frame(0x81, "text")), 1003);
  EXPECT_EQ(code_of(frame(0x80, "x")), 1002) << "a continuation of nothing";
  EXPECT_EQ(code_of(frame(0x02, "x") + frame(0x82, "y")), 1002) << "a message in a message";
  EXPECT_EQ(code_of(frame(0x09, "x")), 1002) << "a ping in pieces";
  EXPECT_EQ(code_of(frame(0x89, std::string(126, 'x'))), 1002) << "a long ping";
  EXPECT_EQ(code_of("\x82\xfe\0\x05mask"s), 1002) << "a length in more bytes than it needs";
}

TEST(WsFrames, AFrameAboveTheLimitIsRefusedByItsHeader) {
  std::string header = frame(0x82, std::string(limit + 1, 'x')).substr(0, 14);
  Decoded got = decode(header);
  EXPECT_EQ(got.replies, "\x88\x02\x03\xf1"s);
}

TEST(WsFrames, ImpossibleCloseCodesAreErrors) {
  for (const std::string& payload : {"\x03"s, "\x03\xe7"s, "\x03\xed"s, "\x0b\xb7"s, "\x13\x88"s}) {
    EXPECT_EQ(decode(frame(0x88, payload)).replies, "\x88\x02\x03\xea"s);
  }
}

TEST(WsFrames, ACloseWhoseReasonIsNoTextIsToldSo) {  // RFC 6455, 5.5.1, 7.4.1
  for (const std::string& reason : {"\xff"s, "bye\xc3"s, "\xed\xa0\x80"s}) {
    Decoded got = decode(frame(0x88, "\x03\xe8" + reason));
    EXPECT_EQ(got.replies, "\x88\x02\x03\xef"s);
    EXPECT_EQ(got.error, "a close frame whose reason is not UTF-8");
  }
  EXPECT_EQ(decode(frame(0x88, "\x03\xe8" + "\xc3\xa9\0"s)).replies, "\x88\x02\x03\xe8"s);
}

TEST(WsFrames, PongsToWhoDoesNotReadAreBounded) {
  std::string wire;
  for (int i = 0; i < 1000; ++i) wire += frame(0x89, std::string(100, 'p'));
  EXPECT_LT(decode(wire).replies.size(), 5000u);
}

TEST(WsFrames, HeadersOfOursHaveTheShortestLength) {
  auto header = [](uint64_t size) {
    std::string out;
    append_ws_header(out, size);
    return out;
  };
  EXPECT_EQ(header(125), "\x82\x7d"s);
  EXPECT_EQ(header(126), "\x82\x7e\0\x7e"s);
  EXPECT_EQ(header(65535), "\x82\x7e\xff\xff"s);
  EXPECT_EQ(header(65536), "\x82\x7f\0\0\0\0\0\1\0\0"s);
}

}  // namespace
}  // namespace tidegate::net
