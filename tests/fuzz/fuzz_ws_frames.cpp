// Frames give the same stream, replies and verdict, however the wire cuts them, and never more than came in.
#include <string>

#include "gateway/net/ws_frames.h"
#include "tests/fuzz/fuzz.h"

using tidegate::net::WsDecoder;

namespace {

constexpr uint64_t kFrameMax = 1000;

std::string decode(WsDecoder& decoder, std::string_view wire, size_t step) {
  std::string stream;
  for (size_t at = 0; at < wire.size(); at += step) {
    std::string piece(wire.substr(at, step));
    size_t n = decoder.decode(piece);
    FUZZ_EXPECT(n <= piece.size());
    stream.append(piece, 0, n);
  }
  return stream;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view wire = as_text(data, size);
  WsDecoder whole(kFrameMax), pieces(kFrameMax);
  std::string stream = decode(whole, wire, wire.size());
  FUZZ_EXPECT(decode(pieces, wire, 1 + data[0] % 16) == stream);
  FUZZ_EXPECT(whole.replies == pieces.replies && whole.has_ended() == pieces.has_ended());
  FUZZ_EXPECT(whole.replies.size() <= 4096 + 2 * 131);
  FUZZ_EXPECT(!whole.error() || whole.has_ended());
  return 0;
}
