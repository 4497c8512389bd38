// Any stream is cut into the same frames, whether it arrives at once or byte by byte, and none is longer than its limit.
#include <algorithm>

#include "gateway/mqtt/framer.h"
#include "tests/fuzz/fuzz.h"

using tidegate::mqtt::Frame;
using State = Frame::State;

namespace {

constexpr size_t kSizeMax = 4096;

void expect_sound(const Frame& f, std::string_view stream) {
  switch (f.state) {
    case State::complete:
      FUZZ_EXPECT(f.size >= 2 && f.size <= std::min(stream.size(), kSizeMax));
      FUZZ_EXPECT(f.body.data() + f.body.size() == stream.data() + f.size);
      FUZZ_EXPECT(f.first == static_cast<uint8_t>(stream[0]) && f.first >> 4 != 0);
      break;
    case State::incomplete: FUZZ_EXPECT(f.size == 0 ? stream.size() < 5 : f.size > stream.size()); break;
    case State::too_large: FUZZ_EXPECT(f.size > kSizeMax); break;
    case State::malformed: FUZZ_EXPECT(!stream.empty()); break;
  }
}

// The verdict on a prefix is `incomplete` or the one on the whole.
void expect_steady(const Frame& whole, std::string_view stream) {
  for (size_t n = 0; n < std::min<size_t>(stream.size(), 64); ++n) {
    Frame part = tidegate::mqtt::frame(stream.substr(0, n), kSizeMax);
    expect_sound(part, stream.substr(0, n));
    if (part.state == State::incomplete) {
      FUZZ_EXPECT(part.size == 0 || part.size == whole.size);
    } else {
      FUZZ_EXPECT(part.state == whole.state && part.size == whole.size);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (std::string_view stream = as_text(data, size);;) {
    Frame f = tidegate::mqtt::frame(stream, kSizeMax);
    expect_sound(f, stream);
    expect_steady(f, stream);
    if (f.state != State::complete) return 0;
    stream.remove_prefix(f.size);
  }
}
