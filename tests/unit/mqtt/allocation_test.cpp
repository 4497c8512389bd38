// The hot path's promise: it does not allocate.
#include "tests/support/packets.h"
#include "tests/unit/mqtt/codec_helpers.h"
#include "tests/unit/mqtt/counting_new.h"

namespace tidegate::mqtt {
namespace {

TEST(HotPath, DecodingAllocatesForListsOfFiltersOnly) {
  for (const test::RawPacket& row : test::all_packets()) {
    const std::string bytes = test::bytes_of(row.hex);
    for (Version version : kVersions) {
      if (!holds_in(row, version)) continue;
      const Frame f = frame(bytes, kNoLimit);
      const PacketType type = type_of(f.first);
      if (type == PacketType::subscribe || type == PacketType::unsubscribe) continue;
      const size_t before = allocations();
      const bool decodes = decode_any(f, version).has_value();
      EXPECT_EQ(allocations(), before) << row.name;
      EXPECT_EQ(decodes, row.verdict != test::Verdict::refused);
    }
  }
}

}  // namespace
}  // namespace tidegate::mqtt
