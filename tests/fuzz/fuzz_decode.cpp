// Any frame is a packet or a reason, in every version; and a packet encodes to bytes that decode to the same again.
// Input: the version's level, then one packet.
#include <string>
#include <variant>

#include "gateway/base/topic.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/any_packet.h"

namespace {

using namespace tidegate;
using namespace tidegate::mqtt;

constexpr size_t kSizeMax = 1 << 16;

// What others rely on without looking again.
void expect_promises(const Packet& packet) {
  if (const auto* p = std::get_if<Publish>(&packet)) {
    FUZZ_EXPECT(p->topic.empty() ? p->properties.integer(PropertyId::topic_alias).value_or(0) != 0
                                 : TopicName::parse(p->topic).has_value());
    FUZZ_EXPECT((p->qos != Qos::at_most_once) == (p->packet_id != 0));
    std::string forwarded;
    append_forwarded(p->properties, forwarded);
    FUZZ_EXPECT(forwarded.size() <= p->properties.wire().size());
  } else if (const auto* c = std::get_if<Connect>(&packet)) {
    FUZZ_EXPECT(is_valid_utf8_string(c->client_id));
    FUZZ_EXPECT(!c->will || TopicName::parse(c->will->topic));
  } else if (const auto* s = std::get_if<Subscribe>(&packet)) {
    FUZZ_EXPECT(s->packet_id != 0 && !s->entries.empty());
    for (const auto& entry : s->entries) FUZZ_EXPECT(is_valid_utf8_string(entry.filter));
  } else if (const auto* u = std::get_if<Unsubscribe>(&packet)) {
    FUZZ_EXPECT(u->packet_id != 0 && !u->filters.empty());
  }
}

void expect_total(const Frame& f, Version version) {
  auto packet = decode_any(f, version);
  if (!packet) {
    FUZZ_EXPECT(is_error(packet.error().reason) && !packet.error().what.empty());
    return;
  }
  expect_promises(*packet);
  if (const auto* connect = std::get_if<Connect>(&*packet)) version = connect->version;

  std::string once = encode_any(*packet, version);
  Frame again = frame(once, kSizeMax + 8);
  FUZZ_EXPECT(again.state == Frame::State::complete && again.size == once.size());
  auto second = decode_any(again, version);
  FUZZ_EXPECT(second.has_value());
  FUZZ_EXPECT(encode_any(*second, version) == once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto version = static_cast<Version>(3 + data[0] % 3);
  Frame f = frame(as_text(data + 1, size - 1), kSizeMax);
  if (f.state == Frame::State::complete) expect_total(f, version);
  return 0;
}
