#include "gateway/mqtt/reason_code.h"

#include <gtest/gtest.h>

#include <set>

#include "gateway/mqtt/validate.h"

namespace tidegate::mqtt {
namespace {

// Table 2-6, a second time: how many codes each packet has.
TEST(ReasonCode, EachPacketHasAsManyAsTheStandardGivesIt) {
  auto count = [](PacketType type) {
    int n = 0;
    for (unsigned code = 0; code < 256; ++code) n += reason_allowed(type, static_cast<uint8_t>(code));
    return n;
  };
  EXPECT_EQ(count(PacketType::connack), 22);
  EXPECT_EQ(count(PacketType::puback), 9);
  EXPECT_EQ(count(PacketType::pubrec), 9);
  EXPECT_EQ(count(PacketType::pubrel), 2);
  EXPECT_EQ(count(PacketType::pubcomp), 2);
  EXPECT_EQ(count(PacketType::suback), 12);
  EXPECT_EQ(count(PacketType::unsuback), 7);
  EXPECT_EQ(count(PacketType::disconnect), 29);
  EXPECT_EQ(count(PacketType::auth), 3);
  EXPECT_EQ(count(PacketType::publish), 0);
}

TEST(ReasonCode, EveryCodeThatAPacketMayCarryHasItsOwnName) {
  std::set<std::string_view> names;
  for (unsigned code = 0; code < 256; ++code) {
    bool allowed = false;
    for (unsigned type = 1; type < 16; ++type)
      allowed |= reason_allowed(static_cast<PacketType>(type), static_cast<uint8_t>(code));
    auto text = name(static_cast<ReasonCode>(code));
    EXPECT_EQ(text != "unknown reason code", allowed) << code;
    if (allowed) {
      EXPECT_TRUE(names.insert(text).second) << text;
    }
  }
}

TEST(ReasonCode, RefusalsBefore5AreNeverZeroAndNeverReserved) {  // 3.2.2.3 of 3.1.1
  for (unsigned code = 0; code < 256; ++code) {
    uint8_t old = connack_code_before_v5(static_cast<ReasonCode>(code));
    EXPECT_LE(old, 5);
    EXPECT_EQ(old == 0, code == 0) << code;
  }
  EXPECT_EQ(connack_code_before_v5(ReasonCode::unsupported_protocol_version), 1);
  EXPECT_EQ(connack_code_before_v5(ReasonCode::client_identifier_not_valid), 2);
  EXPECT_EQ(connack_code_before_v5(ReasonCode::server_busy), 3);
  EXPECT_EQ(connack_code_before_v5(ReasonCode::bad_user_name_or_password), 4);
  EXPECT_EQ(connack_code_before_v5(ReasonCode::banned), 5);
}

}  // namespace
}  // namespace tidegate::mqtt
