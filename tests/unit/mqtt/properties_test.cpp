#include "gateway/mqtt/properties.h"

#include <set>
#include <utility>

#include "gateway/mqtt/validate.h"
#include "tests/unit/mqtt/codec_helpers.h"

namespace tidegate::mqtt {
namespace {

using test::bytes_of;
using enum PropertyId;

// Table 2-4 of the standard, written out a second time: one good value, and the packets that may carry it.
// w will, C CONNECT, c CONNACK, P PUBLISH, a the four acknowledgements, S SUBSCRIBE, s SUBACK, U UNSUBSCRIBE,
// u UNSUBACK, D DISCONNECT, A AUTH. `repeats`: where it may stand twice.
struct Row {
  PropertyId id;
  std::string_view hex;
  std::string_view places;
  std::string_view repeats = "";
};
constexpr Row kStandard[] = {
    {payload_format_indicator, "01 01", "Pw"},
    {message_expiry_interval, "02 00000001", "Pw"},
    {content_type, "03 0001 'x'", "Pw"},
    {response_topic, "08 0001 'x'", "Pw"},
    {correlation_data, "09 0001 ff", "Pw"},
    {subscription_identifier, "0b 01", "PS", "P"},
    {session_expiry_interval, "11 00000000", "CcD"},
    {assigned_client_identifier, "12 0001 'x'", "c"},
    {server_keep_alive, "13 0000", "c"},
    {authentication_method, "15 0001 'x'", "CcA"},
    {authentication_data, "16 0001 ff", "CcA"},
    {request_problem_information, "17 00", "C"},
    {will_delay_interval, "18 00000000", "w"},
    {request_response_information, "19 01", "C"},
    {response_information, "1a 0001 'x'", "c"},
    {server_reference, "1c 0001 'x'", "cD"},
    {reason_string, "1f 0001 'x'", "casuDA"},
    {receive_maximum, "21 0001", "Cc"},
    {topic_alias_maximum, "22 0000", "Cc"},
    {topic_alias, "23 0001", "P"},
    {maximum_qos, "24 01", "c"},
    {retain_available, "25 00", "c"},
    {user_property, "26 0001 'x' 0001 'y'", "CcPwaSsUuDA", "CcPwaSsUuDA"},
    {maximum_packet_size, "27 00000001", "Cc"},
    {wildcard_subscription_available, "28 00", "c"},
    {subscription_identifier_available, "29 00", "c"},
    {shared_subscription_available, "2a 00", "c"},
};

constexpr std::pair<char, PropertyHome> kPlaces[] = {
    {'w', PropertyHome::will},       {'C', PropertyHome::connect},     {'c', PropertyHome::connack},
    {'P', PropertyHome::publish},    {'a', PropertyHome::puback},      {'a', PropertyHome::pubrec},
    {'a', PropertyHome::pubrel},     {'a', PropertyHome::pubcomp},     {'S', PropertyHome::subscribe},
    {'s', PropertyHome::suback},     {'U', PropertyHome::unsubscribe}, {'u', PropertyHome::unsuback},
    {'D', PropertyHome::disconnect}, {'A', PropertyHome::auth},
};

TEST(ValidateProperties, EachStandsWhereTheStandardLetsItAndNowhereElse) {  // 2.2.2.2
  for (const Row& row : kStandard) {
    for (auto [letter, home] : kPlaces) {
      SCOPED_TRACE(testing::Message() << row.hex << " in " << letter);
      auto wire = bytes_of(row.hex);
      auto result = validate_properties(wire, home);
      bool allowed = row.places.find(letter) != std::string_view::npos;
      EXPECT_EQ(result.has_value(), allowed);
      if (allowed && result) {
        EXPECT_EQ(result->wire(), wire);
      }
      if (!allowed && !result) {
        EXPECT_EQ(result.error().reason, ReasonCode::malformed_packet);
      }
    }
  }
}

TEST(ValidateProperties, EachStandsTwiceOnlyWhereItMay) {
  for (const Row& row : kStandard) {
    for (auto [letter, home] : kPlaces) {
      if (row.places.find(letter) == std::string_view::npos) continue;
      SCOPED_TRACE(testing::Message() << row.hex << " twice in " << letter);
      auto wire = bytes_of(row.hex) + bytes_of(row.hex);
      auto result = validate_properties(wire, home);
      EXPECT_EQ(result.has_value(), row.repeats.find(letter) != std::string_view::npos);
      if (!result) {
        EXPECT_EQ(result.error().reason, ReasonCode::protocol_error);
      }
    }
  }
}

TEST(ValidateProperties, EachIsRefusedCutAnywhere) {
  for (const Row& row : kStandard) {
    auto wire = bytes_of(row.hex);
    for (auto [letter, home] : kPlaces) {
      for (size_t n = 1; n < wire.size(); ++n) {
        auto result = validate_properties(std::string_view(wire).substr(0, n), home);
        ASSERT_FALSE(result) << row.hex << " cut at " << n;
        EXPECT_EQ(result.error().reason, ReasonCode::malformed_packet);
      }
    }
  }
}

TEST(ValidateProperties, KnowsNoOtherIdentifiers) {
  std::set<unsigned> known;
  for (const Row& row : kStandard) known.insert(static_cast<unsigned>(row.id));
  for (unsigned id = 0; id < 256; ++id) {
    if (known.contains(id)) continue;
    std::string wire(1, static_cast<char>(id));
    wire.append(8, '\1');
    for (auto [letter, home] : kPlaces) EXPECT_FALSE(validate_properties(wire, home)) << id;
  }
}

TEST(ValidateProperties, FlagsAreZeroOrOneAndMaximaAreNotZero) {
  for (auto hex : {"24 02", "25 02", "28 ff", "29 02", "2a 02", "21 0000", "27 00000000"}) {
    auto result = validate_properties(bytes_of(hex), PropertyHome::connack);
    ASSERT_FALSE(result) << hex;
    EXPECT_EQ(result.error().reason, ReasonCode::protocol_error) << hex;
  }
  EXPECT_FALSE(validate_properties(bytes_of("17 02"), PropertyHome::connect));
  EXPECT_FALSE(validate_properties(bytes_of("19 02"), PropertyHome::connect));
  EXPECT_TRUE(validate_properties(bytes_of("0b ffffff7f"), PropertyHome::publish));
}

TEST(Properties, AreFoundByIdTheFirstOfThem) {
  auto wire = bytes_of("01 01 0b 8001 0b 02 23 ffff 02 80000000 03 0002 'ct' 09 0000");
  auto p = validate_properties(wire, PropertyHome::publish).value();
  EXPECT_EQ(p.integer(payload_format_indicator), 1u);
  EXPECT_EQ(p.integer(subscription_identifier), 128u);
  EXPECT_EQ(p.integer(topic_alias), 65535u);
  EXPECT_EQ(p.integer(message_expiry_interval), 0x80000000u);
  EXPECT_EQ(p.text(content_type), "ct");
  EXPECT_EQ(p.text(correlation_data), "");
  EXPECT_FALSE(p.text(response_topic));
  EXPECT_FALSE(Properties().integer(topic_alias));
  EXPECT_TRUE(Properties().empty());
}

TEST(Properties, AreTakenOffOneByOneInTheirOrder) {
  auto wire = bytes_of("26 0001 'k' 0001 'v' 0b 05 26 0001 'l' 0000");
  std::string_view rest = wire;
  Properties::Item item;
  ASSERT_TRUE(Properties::next(rest, item));
  EXPECT_EQ(item.id, user_property);
  EXPECT_EQ(item.text, "k");
  EXPECT_EQ(item.second, "v");
  EXPECT_EQ(item.wire, std::string_view(wire).substr(0, 7));
  ASSERT_TRUE(Properties::next(rest, item));
  EXPECT_EQ(item.id, subscription_identifier);
  EXPECT_EQ(item.number, 5u);
  ASSERT_TRUE(Properties::next(rest, item));
  EXPECT_EQ(item.text, "l");
  EXPECT_EQ(item.second, "");
  EXPECT_FALSE(Properties::next(rest, item));
}

TEST(PropertyWriter, WritesEachInItsWidth) {
  std::string out;
  PropertyWriter(out)
      .integer(payload_format_indicator, 1)
      .integer(topic_alias, 2)
      .integer(message_expiry_interval, 3)
      .integer(subscription_identifier, 128)
      .text(response_topic, "r")
      .text(correlation_data, std::string_view("\0", 1))
      .user("k", "v");
  EXPECT_EQ(out, bytes_of("01 01 23 0002 02 00000003 0b 8001 08 0001 'r' 09 0001 00 26 0001 'k' 0001 'v'"));
  EXPECT_TRUE(validate_properties(out, PropertyHome::publish));
}

TEST(Properties, ForwardedAreThoseThatBelongToTheMessage) {  // [MQTT-3.3.2-4, 3.3.2-15, 3.3.2-16, 3.3.2-17, 3.3.2-20]
  auto wire = bytes_of(
      "26 0001 'k' 0001 'v' 02 00000e10 01 01 23 0005 08 0001 'r' 0b 07 09 0001 ff 26 0001 'a' 0000 03 0001 't'");
  std::string out = "before";
  append_forwarded(validate_properties(wire, PropertyHome::publish).value(), out);
  EXPECT_EQ(out, "before" + bytes_of("26 0001 'k' 0001 'v' 01 01 08 0001 'r' 09 0001 ff 26 0001 'a' 0000 03 0001 't'"));
}

TEST(Properties, WillDelayStaysBehind) {
  auto wire = bytes_of("18 00000005 02 00000e10 03 0001 't'");
  std::string out;
  append_forwarded(validate_properties(wire, PropertyHome::will).value(), out);
  EXPECT_EQ(out, bytes_of("03 0001 't'"));
}

}  // namespace
}  // namespace tidegate::mqtt
