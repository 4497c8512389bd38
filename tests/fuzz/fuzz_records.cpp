// The store's decoders and its log reader are total: any bytes give a record or nothing, and what was read can be
// written and read again.
#include <optional>
#include <string>
#include <string_view>

#include "store/keys.h"
#include "store/log_reader.h"
#include "store/records.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace tidegate::store;

// A record without a variable part has one encoding only.
template <class Record>
void round_trip(const std::optional<Record>& record, std::string_view bytes) {
  if (record) FUZZ_EXPECT(encode(*record) == bytes);
}

void read_log(std::string_view bytes) {
  LogReader reader([&bytes](std::string& block) {
    block = bytes.substr(0, log_block_size);
    bytes.remove_prefix(block.size());
    return !block.empty();
  });
  LogContinuity continuity;
  while (const auto record = reader.next()) continuity.saw(reader, *record);
  continuity.log_ended(reader);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = as_text(data, size);
  if (const auto message = decode_message(bytes)) {
    std::string again;
    encode(*message, again);
    const auto twice = decode_message(again);
    FUZZ_EXPECT(twice && twice->topic == message->topic && twice->payload == message->payload &&
                twice->properties == message->properties && twice->expires == message->expires);
    FUZZ_EXPECT(counted_bytes(*twice) == counted_bytes(*message));
  }
  round_trip(decode_queue_tail(bytes), bytes);
  round_trip(decode_queue_head(bytes), bytes);
  if (const auto session = decode_session(bytes)) {  // of an older version: it is written as the newest
    FUZZ_EXPECT(decode_session(encode(*session)) == session);
  }
  round_trip(decode_subscription(bytes), bytes);
  round_trip(decode_inflight(bytes), bytes);
  round_trip(decode_bridge_rules(bytes), bytes);
  (void)decode_will(bytes);
  if (const auto number = decode_u32(bytes)) FUZZ_EXPECT(encode_u32(*number) == bytes);
  if (const auto place = parse_queue_key(bytes)) FUZZ_EXPECT(QueueKey(place->queue, place->seq).view() == bytes);
  read_log(bytes);
  return 0;
}
