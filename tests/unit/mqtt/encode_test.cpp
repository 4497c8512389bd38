// What encoders decide by themselves; that each gives back what was decoded stands in packet_table_test.cpp.
#include "gateway/mqtt/encode.h"

#include "tests/unit/mqtt/codec_helpers.h"

namespace tidegate::mqtt {
namespace {

using test::bytes_of;

template <class P>
std::string encoded(const P& packet, Version version) {
  std::string out;
  encode(packet, version, out);
  return out;
}

TEST(Encode, AppendsToWhatIsThere) {
  std::string out = "x";
  encode(Pingresp{}, out);
  encode(Pingreq{}, out);
  EXPECT_EQ(out, "x" + bytes_of("d0 00 c0 00"));
}

TEST(EncodeAck, LeavesTheReasonOutBefore5) {
  Ack ack{PacketType::puback, 7, ReasonCode::not_authorized, {}};
  EXPECT_EQ(encoded(ack, Version::v3_1_1), bytes_of("40 02 0007"));
  EXPECT_EQ(encoded(ack, Version::v5), bytes_of("40 03 0007 87"));
}

TEST(EncodeAck, TakesTheShortestForm) {  // 3.4.2.1, 3.4.2.2.1
  Ack ack{PacketType::pubrel, 7, ReasonCode::success, {}};
  EXPECT_EQ(encoded(ack, Version::v5), bytes_of("62 02 0007"));
  ack.reason = ReasonCode::packet_identifier_not_found;
  EXPECT_EQ(encoded(ack, Version::v5), bytes_of("62 03 0007 92"));
  auto wire = bytes_of("1f 0001 'x'");
  ack.properties = Properties::of_valid_wire(wire);
  EXPECT_EQ(encoded(ack, Version::v5), bytes_of("62 08 0007 92 04 1f 0001 'x'"));
}

TEST(EncodeSuback, KnowsOneFailureBefore5) {  // [MQTT-3.9.3-2 of 3.1.1]
  Suback suback{PacketType::suback, 7, "\x02\x87\x97", {}};
  EXPECT_EQ(encoded(suback, Version::v3_1_1), bytes_of("90 05 0007 02 80 80"));
  EXPECT_EQ(encoded(suback, Version::v5), bytes_of("90 06 0007 00 02 87 97"));
}

TEST(EncodeSuback, UnsubackHasCodesIn5Only) {
  Suback unsuback{PacketType::unsuback, 7, "\x11", {}};
  EXPECT_EQ(encoded(unsuback, Version::v3_1_1), bytes_of("b0 02 0007"));
  EXPECT_EQ(encoded(unsuback, Version::v5), bytes_of("b0 04 0007 00 11"));
}

TEST(EncodeSubscribe, LeavesOptionsOutBefore5) {
  Subscribe s{7, {{"a", {Qos::at_least_once, true, true, RetainHandling::never}}}, {}};
  EXPECT_EQ(encoded(s, Version::v3_1_1), bytes_of("82 06 0007 0001 'a' 01"));
  EXPECT_EQ(encoded(s, Version::v5), bytes_of("82 07 0007 00 0001 'a' 2d"));
}

TEST(EncodeConnack, HasNoSessionPresentIn31) {
  Connack c{true, 0, {}};
  EXPECT_EQ(encoded(c, Version::v3_1), bytes_of("20 02 00 00"));
  EXPECT_EQ(encoded(c, Version::v3_1_1), bytes_of("20 02 01 00"));
  EXPECT_EQ(encoded(c, Version::v5), bytes_of("20 03 01 00 00"));
}

TEST(EncodeDisconnect, IsTwoBytesBefore5AndForSuccess) {
  EXPECT_EQ(encoded(Disconnect{ReasonCode::server_busy, {}}, Version::v3_1_1), bytes_of("e0 00"));
  EXPECT_EQ(encoded(Disconnect{ReasonCode::server_busy, {}}, Version::v5), bytes_of("e0 01 89"));
  EXPECT_EQ(encoded(Disconnect{}, Version::v5), bytes_of("e0 00"));
}

TEST(EncodeConnect, BridgeBitIsNotFor5) {
  std::string out;
  encode(Connect{.version = Version::v5,
                 .bridge = true,
                 .client_id = "a",
                 .will = {},
                 .username = {},
                 .password = {},
                 .properties = {}},
         out);
  EXPECT_EQ(out, bytes_of("10 0e 0004 'MQTT' 05 02 0000 00 0001 'a'"));
}

TEST(EncodeHead, GivesAllOfAPublishButItsPayload) {
  auto first = bytes_of("03 0001 't'"), second = bytes_of("0b 05");
  PublishHead head{"a/b", 5, Qos::at_least_once, true, true, 9, first, second};
  std::string out;
  encode_head(head, Version::v5, out);
  EXPECT_EQ(out, bytes_of("3b 13 0003 'a/b' 0009 06 03 0001 't' 0b 05"));
  EXPECT_EQ(encoded_size(head, Version::v5), out.size() + 5);
  out.clear();
  encode_head(head, Version::v3_1_1, out);
  EXPECT_EQ(out, bytes_of("3b 0c 0003 'a/b' 0009"));
  EXPECT_EQ(encoded_size(head, Version::v3_1_1), out.size() + 5);
}

TEST(EncodeHead, LeavesThePacketIdentifierOutAtQos0) {  // [MQTT-2.2.1-2]
  std::string out;
  encode_head({.topic = "a", .payload_size = 0, .packet_id = 9, .properties_first = {}, .properties_second = {}},
              Version::v3_1_1, out);
  EXPECT_EQ(out, bytes_of("30 03 0001 'a'"));
}

TEST(EncodeHead, SizesAgreeAtTheBordersOfTheLength) {
  for (size_t payload : {124u, 125u, 126u, 16'380u, 16'381u, 2'097'148u, 2'097'149u, 268'435'452u}) {
    PublishHead head{"a", payload, Qos::at_most_once, false, false, 0, {}, {}};
    std::string out;
    encode_head(head, Version::v3_1_1, out);
    EXPECT_EQ(encoded_size(head, Version::v3_1_1), out.size() + payload);
    EXPECT_EQ(frame(out, kNoLimit).size, out.size() + payload);
  }
}

TEST(EncodeDeathTest, WhatNoPacketCanCarryIsOurMistake) {
  std::string out;
  EXPECT_DEATH(append_varint(268'435'456, out), "");
  EXPECT_DEATH(encode_head({.topic = "a", .qos = Qos::at_least_once, .properties_first = {}, .properties_second = {}},
                           Version::v3_1_1, out),
               "packet_id");
}

}  // namespace
}  // namespace tidegate::mqtt
