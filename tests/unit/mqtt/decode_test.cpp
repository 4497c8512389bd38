// The fields of decoded packets; what is refused stands in the packet table.
#include "gateway/mqtt/decode.h"

#include "tests/unit/mqtt/codec_helpers.h"

namespace tidegate::mqtt {
namespace {

using test::bytes_of;

TEST(DecodeConnect, ReadsEveryFieldOf311) {
  auto bytes = bytes_of("10 1d 0004 'MQTT' 04 f4 012c 0002 'id' 0003 'w/t' 0002 'wp' 0001 'u' 0001 'p'");
  auto c = decoded<Connect>(bytes, Version::v3_1_1);
  EXPECT_EQ(c.version, Version::v3_1_1);
  EXPECT_FALSE(c.bridge);
  EXPECT_FALSE(c.clean_start);
  EXPECT_EQ(c.keep_alive_seconds, 300);
  EXPECT_EQ(c.client_id, "id");
  ASSERT_TRUE(c.will);
  EXPECT_EQ(c.will->topic, "w/t");
  EXPECT_EQ(c.will->payload, "wp");
  EXPECT_EQ(c.will->qos, Qos::exactly_once);
  EXPECT_TRUE(c.will->retain);
  EXPECT_EQ(c.username, "u");
  EXPECT_EQ(c.password, "p");
}

TEST(DecodeConnect, KeepsAbsentApartFromEmpty) {
  auto absent = bytes_of("10 0c 0004 'MQTT' 04 02 0000 0000");
  auto c = decoded<Connect>(absent, Version::v3_1_1);
  EXPECT_FALSE(c.will);
  EXPECT_FALSE(c.username);
  EXPECT_FALSE(c.password);
  auto empty = bytes_of("10 10 0004 'MQTT' 04 c2 0000 0000 0000 0000");
  c = decoded<Connect>(empty, Version::v3_1_1);
  EXPECT_EQ(c.username, "");
  EXPECT_EQ(c.password, "");
}

TEST(DecodeConnect, TellsBridgesByTheHighBitOfTheLevel) {
  auto old = bytes_of("10 0f 0006 'MQIsdp' 83 02 003c 0001 'a'");
  EXPECT_EQ(decoded<Connect>(old, Version::v3_1).version, Version::v3_1);
  EXPECT_TRUE(decoded<Connect>(old, Version::v3_1).bridge);
  auto newer = bytes_of("10 0d 0004 'MQTT' 84 02 003c 0001 'a'");
  EXPECT_EQ(decoded<Connect>(newer, Version::v3_1_1).version, Version::v3_1_1);
  EXPECT_TRUE(decoded<Connect>(newer, Version::v3_1_1).bridge);
}

TEST(DecodeConnect, ReadsPropertiesOfPacketAndWillApart) {
  auto bytes =
      bytes_of("10 23 0004 'MQTT' 05 06 003c 05 11 0000000a 0001 'a' 0a 18 00000007 02 00000e10 0001 'w' 0000");
  auto c = decoded<Connect>(bytes, Version::v5);
  EXPECT_EQ(c.properties.integer(PropertyId::session_expiry_interval), 10u);
  EXPECT_FALSE(c.properties.integer(PropertyId::will_delay_interval));
  ASSERT_TRUE(c.will);
  EXPECT_EQ(c.will->properties.integer(PropertyId::will_delay_interval), 7u);
  EXPECT_EQ(c.will->properties.integer(PropertyId::message_expiry_interval), 3600u);
}

TEST(DecodeConnect, RefusesOtherPacketsAsTheFirst) {  // [MQTT-3.1.0-1]
  auto bytes = bytes_of("c0 00");
  auto packet = decode_connect(frame(bytes, kNoLimit));
  ASSERT_FALSE(packet);
  EXPECT_EQ(packet.error().reason, ReasonCode::protocol_error);
}

TEST(Decode, RefusesASecondConnect) {  // [MQTT-3.1.0-2]
  auto bytes = bytes_of("10 0d 0004 'MQTT' 04 02 003c 0001 'a'");
  for (Version version : kVersions) {
    auto packet = decode(frame(bytes, kNoLimit), version);
    ASSERT_FALSE(packet);
    EXPECT_EQ(packet.error().reason, ReasonCode::protocol_error);
  }
}

TEST(DecodePublish, ReadsEveryField) {  // [MQTT-3.3.2-1]
  auto bytes = bytes_of("3d 12 0003 'a/b' 1234 05 02 0000003c 'hello'");
  auto p = decoded<Publish>(bytes, Version::v5);
  EXPECT_EQ(p.topic, "a/b");
  EXPECT_EQ(p.payload, "hello");
  EXPECT_EQ(p.qos, Qos::exactly_once);
  EXPECT_TRUE(p.dup);
  EXPECT_TRUE(p.retain);
  EXPECT_EQ(p.packet_id, 0x1234);
  EXPECT_EQ(p.properties.integer(PropertyId::message_expiry_interval), 60u);
}

TEST(DecodePublish, IsAViewIntoTheFrame) {
  auto bytes = bytes_of("30 0a 0003 'a/b' 'hello'");
  auto p = decode_publish(frame(bytes, kNoLimit), Version::v3_1_1);
  ASSERT_TRUE(p);
  EXPECT_EQ(p->payload.data(), bytes.data() + 7);
}

TEST(DecodePublish, HasNoPacketIdentifierAtQos0) {  // [MQTT-2.2.1-2]
  auto bytes = bytes_of("30 05 0001 'a' 0001");
  auto p = decoded<Publish>(bytes, Version::v3_1_1);
  EXPECT_EQ(p.packet_id, 0);
  EXPECT_EQ(p.payload, std::string_view("\0\1", 2));
}

TEST(DecodeAck, ReadsReasonAndProperties) {
  auto bytes = bytes_of("40 0a 0007 97 06 1f 0003 'why'");
  auto a = decoded<Ack>(bytes, Version::v5);
  EXPECT_EQ(a.type, PacketType::puback);
  EXPECT_EQ(a.packet_id, 7);
  EXPECT_EQ(a.reason, ReasonCode::quota_exceeded);
  EXPECT_EQ(a.properties.text(PropertyId::reason_string), "why");
}

TEST(DecodeAck, ShortFormMeansSuccess) {  // 3.4.2.1
  for (auto hex : {"40 02 0007", "50 02 0007", "62 02 0007", "70 02 0007"}) {
    auto bytes = bytes_of(hex);
    auto a = decoded<Ack>(bytes, Version::v5);
    EXPECT_EQ(a.type, type_of(static_cast<uint8_t>(bytes[0])));
    EXPECT_EQ(a.reason, ReasonCode::success);
  }
}

TEST(DecodeSubscribe, ReadsFiltersAndOptions) {
  auto bytes = bytes_of("82 0f 0009 02 0b 05 0003 'a/+' 2e 0001 '#' 11");
  auto s = decoded<Subscribe>(bytes, Version::v5);
  EXPECT_EQ(s.packet_id, 9);
  EXPECT_EQ(s.properties.integer(PropertyId::subscription_identifier), 5u);
  ASSERT_EQ(s.entries.size(), 2u);
  EXPECT_EQ(s.entries[0].filter, "a/+");
  EXPECT_EQ(s.entries[0].options, (SubscribeOptions{Qos::exactly_once, true, true, RetainHandling::never}));
  EXPECT_EQ(s.entries[1].filter, "#");
  EXPECT_EQ(s.entries[1].options, (SubscribeOptions{Qos::at_least_once, false, false, RetainHandling::send_if_new}));
}

TEST(DecodeSubscribe, HasNoOptionsButQosBefore5) {
  auto bytes = bytes_of("82 06 0009 0001 'a' 02");
  auto s = decoded<Subscribe>(bytes, Version::v3_1_1);
  ASSERT_EQ(s.entries.size(), 1u);
  EXPECT_EQ(s.entries[0].options, SubscribeOptions{Qos::exactly_once});
}

TEST(DecodeSuback, ReadsCodesAndTellsUnsubackApart) {
  auto suback = bytes_of("90 06 0009 00 01 02 87");
  EXPECT_EQ(decoded<Suback>(suback, Version::v5).type, PacketType::suback);
  EXPECT_EQ(decoded<Suback>(suback, Version::v5).codes, "\x01\x02\x87");
  auto unsuback = bytes_of("b0 04 0009 00 11");
  EXPECT_EQ(decoded<Suback>(unsuback, Version::v5).type, PacketType::unsuback);
  EXPECT_EQ(decoded<Suback>(unsuback, Version::v5).codes, "\x11");
  auto old = bytes_of("b0 02 0009");
  EXPECT_TRUE(decoded<Suback>(old, Version::v3_1_1).codes.empty());
}

TEST(DecodeUnsubscribe, ReadsEveryFilter) {
  auto bytes = bytes_of("a2 0a 0009 0003 'a/b' 0001 '#'");
  auto u = decoded<Unsubscribe>(bytes, Version::v3_1_1);
  EXPECT_EQ(u.packet_id, 9);
  EXPECT_EQ(u.filters, (std::vector<std::string_view>{"a/b", "#"}));
}

TEST(DecodeConnack, ReadsSessionPresentAndCode) {
  auto bytes = bytes_of("20 02 01 00");
  EXPECT_TRUE(decoded<Connack>(bytes, Version::v3_1_1).session_present);
  auto refused = bytes_of("20 06 00 87 03 21 0014");
  auto c = decoded<Connack>(refused, Version::v5);
  EXPECT_FALSE(c.session_present);
  EXPECT_EQ(c.code, 0x87);
  EXPECT_EQ(c.properties.integer(PropertyId::receive_maximum), 20u);
}

TEST(DecodeDisconnect, ReadsReasonAndProperties) {
  auto bytes = bytes_of("e0 07 04 05 11 00000005");
  auto d = decoded<Disconnect>(bytes, Version::v5);
  EXPECT_EQ(d.reason, ReasonCode::disconnect_with_will);
  EXPECT_EQ(d.properties.integer(PropertyId::session_expiry_interval), 5u);
}

TEST(DecodeAuth, ReadsReasonAndMethod) {
  auto bytes = bytes_of("f0 07 18 05 15 0002 'sc'");
  auto a = decoded<Auth>(bytes, Version::v5);
  EXPECT_EQ(a.reason, ReasonCode::continue_authentication);
  EXPECT_EQ(a.properties.text(PropertyId::authentication_method), "sc");
}

}  // namespace
}  // namespace tidegate::mqtt
