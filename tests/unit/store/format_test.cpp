// Golden bytes: what FORMAT.md draws. A change here is a change of the format and needs a new version byte.
#include <gtest/gtest.h>

#include "store/keys.h"
#include "store/records.h"
#include "tests/support/hex.h"

namespace tidegate::store {
namespace {

const MessageView small{.topic = "a/b",
                        .payload = "hi",
                        .properties = std::string_view("\x01\x01", 2),
                        .qos = Qos::at_least_once,
                        .retain = true,
                        .expires = WallTime{Millis{2000}},
                        .received = WallTime{Millis{1000}}};
constexpr auto small_bytes =
    "01 0D 00 00 00 00 00 00 03 E8 00 00 00 00 00 00 07 D0 00 03 00 00 00 02 61 2F 62 01 01 68 69";

std::string encoded(const MessageView& message) {
  std::string out;
  encode(message, out);
  return out;
}

bool same(const MessageView& a, const MessageView& b) {
  return a.topic == b.topic && a.payload == b.payload && a.properties == b.properties && a.qos == b.qos &&
         a.retain == b.retain && a.expires == b.expires && a.received == b.received;
}

TEST(Format, KeysStandAsDrawn) {
  EXPECT_EQ(hex(format_key()), "46");
  EXPECT_EQ(hex(clean_stop_key()), "43");
  EXPECT_EQ(hex(next_queue_id_key()), "51");
  EXPECT_EQ(hex(queue_name_key("up")), "4E 75 70");
  EXPECT_EQ(hex(queue_head_key(QueueId{258})), "48 00 00 01 02");
  EXPECT_EQ(hex(queue_tail_key(QueueId{258})), "4C 00 00 01 02");
  EXPECT_EQ(hex(bridge_rules_key(QueueId{258})), "42 00 00 01 02");
  EXPECT_EQ(hex(session_key("c1")), "53 63 31");
  EXPECT_EQ(hex(subscription_key(QueueId{258}, "a/#")), "55 00 00 01 02 61 2F 23");
  EXPECT_EQ(hex(receipt_key(QueueId{258}, 772)), "52 00 00 01 02 03 04");
  EXPECT_EQ(hex(inflight_key(QueueId{258}, 772)), "49 00 00 01 02 03 04");
  EXPECT_EQ(hex(retained_key("a/b")), "54 61 2F 62");
  EXPECT_EQ(hex(will_key("c1")), "57 63 31");
  EXPECT_EQ(hex(estate_key(QueueId{258})), "45 00 00 01 02");
  EXPECT_EQ(hex(QueueKey(QueueId{258}, Seq{3}).view()), "00 00 01 02 00 00 00 00 00 00 00 03");
}

TEST(Format, RecordsStandAsDrawn) {
  EXPECT_EQ(hex(encoded(small)), small_bytes);
  EXPECT_EQ(hex(encoded({.topic = "t", .payload = "p"})), "01 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00 74 70");
  EXPECT_EQ(hex(encode(QueueTail{.next = Seq{4}, .bytes_in = 111})),
            "01 00 00 00 00 00 00 00 04 00 00 00 00 00 00 00 6F");
  EXPECT_EQ(hex(encode(QueueHead{.first = Seq{3}, .messages_out = 2, .bytes_out = 74})),
            "01 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 4A");
  EXPECT_EQ(hex(encode(SessionRecord{.queue = QueueId{7},
                                     .protocol_version = 5,
                                     .expiry_seconds = 3600,
                                     .disconnected = WallTime{Millis{1000}},
                                     .sent_below = Seq{9}})),
            "02 00 00 00 07 05 00 00 0E 10 00 00 00 00 00 00 03 E8 00 00 00 00 00 00 00 09");
  EXPECT_EQ(hex(encode(SubscriptionRecord{.options = 0x2D, .subscription_id = 9})), "01 2D 00 00 00 09");
  EXPECT_EQ(hex(encode(InflightRecord{.seq = Seq{3}, .released = true})), "01 00 00 00 00 00 00 00 03 01");
  EXPECT_EQ(hex(encode(WillRecord{
                .message = small, .delay_seconds = 30, .session_expiry_seconds = 60, .due = WallTime{Millis{1000}}})),
            std::string("02 00 00 00 1E 00 00 00 3C 00 00 00 00 00 00 03 E8 ") + small_bytes);
  EXPECT_EQ(hex(encode(std::vector<BridgeRule>{{"a/#", "b"}})), "01 00 03 61 2F 23 00 01 62");
  EXPECT_EQ(hex(encode_u32(258)), "00 00 01 02");
}

TEST(Records, ComeBackAsTheyWere) {
  std::string bytes = encoded(small);
  ASSERT_TRUE(decode_message(bytes));
  EXPECT_TRUE(same(*decode_message(bytes), small));
  const QueueTail tail{.next = Seq{~0ull}, .bytes_in = 1};
  EXPECT_EQ(decode_queue_tail(encode(tail)), tail);
  const QueueHead head{.first = Seq{5}, .messages_out = 6, .bytes_out = 7};
  EXPECT_EQ(decode_queue_head(encode(head)), head);
  const SessionRecord session{.queue = QueueId{1}, .protocol_version = 3, .expiry_seconds = ~0u};
  EXPECT_EQ(decode_session(encode(session)), session);
  const InflightRecord inflight{.seq = Seq{1}};
  EXPECT_EQ(decode_inflight(encode(inflight)), inflight);
  const std::string will = encode(WillRecord{.message = small, .delay_seconds = 1, .session_expiry_seconds = 2});
  ASSERT_TRUE(decode_will(will));
  EXPECT_TRUE(same(decode_will(will)->message, small));
  const std::vector<BridgeRule> rules{{"a/#", "up/a/#"}, {"b", ""}};
  EXPECT_EQ(decode_bridge_rules(encode(rules)), rules);
  EXPECT_EQ(decode_bridge_rules(encode(std::vector<BridgeRule>{})), std::vector<BridgeRule>{});
  EXPECT_EQ(decode_u32(encode_u32(42)), 42u);
}

TEST(Records, ASessionOfVersion1LeavesOpenWhatWasSent) {
  const std::string bytes("\x01\x00\x00\x00\x07\x05\x00\x00\x0E\x10\x00\x00\x00\x00\x00\x00\x03\xE8", 18);
  const SessionRecord session{.queue = QueueId{7},
                              .protocol_version = 5,
                              .expiry_seconds = 3600,
                              .disconnected = WallTime{Millis{1000}},
                              .sent_below = Seq{UINT64_MAX}};
  EXPECT_EQ(decode_session(bytes), session);
  EXPECT_FALSE(decode_session(bytes + "x"));
}

TEST(Records, AWillOfVersion1HasNotBegunToWait) {
  std::string bytes = encode(WillRecord{.message = small, .delay_seconds = 30, .session_expiry_seconds = 60});
  bytes[0] = 1;
  bytes.erase(9, 8);
  const auto will = decode_will(bytes);
  ASSERT_TRUE(will);
  EXPECT_TRUE(same(will->message, small));
  EXPECT_EQ(will->delay_seconds, 30u);
  EXPECT_EQ(will->due, WallTime::never());
}

// Nothing writes this field any more; the format still has its place.
TEST(Records, ASubscriptionIdentifierInFrontOfTheTopicIsReadOver) {
  std::string bytes = encoded(small);
  bytes[1] = 0x1D;
  bytes.insert(18, std::string("\0\0\0\5", 4));
  EXPECT_EQ(hex(bytes),
            "01 1D 00 00 00 00 00 00 03 E8 00 00 00 00 00 00 07 D0 00 00 00 05 00 03 00 00 00 02 61 2F 62 01 01 68 69");
  ASSERT_TRUE(decode_message(bytes));
  EXPECT_TRUE(same(*decode_message(bytes), small));
}

TEST(Records, ARecordOfAGroupNamesIt) {
  MessageView shared = small;
  shared.share = "$share/g/a";
  std::string bytes = encoded(shared);
  EXPECT_EQ(
      hex(bytes),
      "02 0D 00 00 00 00 00 00 03 E8 00 00 00 00 00 00 07 D0 00 03 00 00 00 02 00 0A 61 2F 62 01 01 24 73 68 61 72 "
      "65 2F 67 2F 61 68 69");
  ASSERT_TRUE(decode_message(bytes));
  EXPECT_TRUE(same(*decode_message(bytes), small));
  EXPECT_EQ(decode_message(bytes)->share, "$share/g/a");
  EXPECT_EQ(to_message(*decode_message(bytes)).share, "$share/g/a");
  bytes[25] = 0;  // then it would be one of version 1
  EXPECT_FALSE(decode_message(bytes));
}

TEST(Records, EncodeReplacesAndAppendEncodedAppends) {
  std::string out = "old";
  encode(small, out);
  EXPECT_EQ(hex(out), small_bytes);
  append_encoded(small, out);
  EXPECT_EQ(hex(out), std::string(small_bytes) + " " + small_bytes);
}

TEST(Records, AMessageSurvivesItsView) {
  const Message message = to_message(small);
  EXPECT_TRUE(same(view_of(message), MessageView{.topic = small.topic,
                                                 .payload = small.payload,
                                                 .properties = small.properties,
                                                 .qos = small.qos,
                                                 .retain = small.retain,
                                                 .expires = small.expires,
                                                 .received = small.received}));
  EXPECT_EQ(counted_bytes(small), counted_bytes(message));
}

TEST(Records, EveryCutIsRefusedUnlessOnlyPayloadIsMissing) {
  const std::string whole = encoded(small);
  for (size_t n = 0; n < whole.size() - 2; ++n) EXPECT_FALSE(decode_message(whole.substr(0, n))) << n;
  const std::string tail = encode(QueueTail{});
  for (size_t n = 0; n < tail.size(); ++n) EXPECT_FALSE(decode_queue_tail(tail.substr(0, n))) << n;
  EXPECT_FALSE(decode_queue_tail(tail + "x"));
  const std::string rules = encode(std::vector<BridgeRule>{{"a/#", "b"}});
  for (size_t n = 2; n < rules.size(); ++n) EXPECT_FALSE(decode_bridge_rules(rules.substr(0, n))) << n;
}

TEST(Records, UnknownVersionsFlagsAndQosAreRefused) {
  std::string bytes = encoded(small);
  bytes[0] = 2;
  EXPECT_FALSE(decode_message(bytes));
  bytes = encoded(small);
  bytes[1] = 0x03;
  EXPECT_FALSE(decode_message(bytes));
  bytes[1] = char(0x80);
  EXPECT_FALSE(decode_message(bytes));
  std::string inflight = encode(InflightRecord{});
  inflight.back() = 2;
  EXPECT_FALSE(decode_inflight(inflight));
}

TEST(Keys, QueueKeysSortByQueueThenPlace) {
  EXPECT_LT(QueueKey(QueueId{1}, Seq{255}).view(), QueueKey(QueueId{1}, Seq{256}).view());
  EXPECT_LT(QueueKey(QueueId{1}, Seq{~0ull}).view(), QueueKey(QueueId{2}, Seq{0}).view());
  const auto place = parse_queue_key(QueueKey(QueueId{9}, Seq{77}).view());
  ASSERT_TRUE(place);
  EXPECT_EQ(place->queue, QueueId{9});
  EXPECT_EQ(place->seq, Seq{77});
  EXPECT_FALSE(parse_queue_key("short"));
}

}  // namespace
}  // namespace tidegate::store
