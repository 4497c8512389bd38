#include "config/units.h"

#include <gtest/gtest.h>

#include "config/suggest.h"

namespace tidegate::config {
namespace {

TEST(Units, ReadDurationsWithOneOfFiveUnits) {
  EXPECT_EQ(parse_duration("200ms"), Millis(200));
  EXPECT_EQ(parse_duration("30s"), Seconds(30));
  EXPECT_EQ(parse_duration("5m"), std::chrono::minutes(5));
  EXPECT_EQ(parse_duration("7d"), std::chrono::hours(7 * 24));
  for (const char* bad :
       {"", "60", "s", "-1s", "+1s", "1.5s", " 1s", "1 s", "1S", "1w", "99999999999999999999s", "9223372036854775807d"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Units, ReadSizesByThousandsAndBy1024) {
  EXPECT_EQ(parse_size("512B"), 512u);
  EXPECT_EQ(parse_size("10MB"), 10'000'000u);
  EXPECT_EQ(parse_size("64KiB"), 65536u);
  EXPECT_EQ(parse_size("2kB"), 2000u);
  for (const char* bad : {"", "64", "64K", "64KB", "64kb", "64kib", "-1B", "18446744073709551615TiB", "9999999TiB"})
    EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(Units, WriteWhatTheyRead) {
  for (const char* text : {"0s", "200ms", "90s", "18h", "30d"}) EXPECT_EQ(duration_text(*parse_duration(text)), text);
  for (const char* text : {"0B", "512B", "1KiB", "64KiB", "1GiB", "10MB", "1536MiB"})
    EXPECT_EQ(size_text(*parse_size(text)), text);
  EXPECT_EQ(size_text(unlimited), "unlimited");
}

TEST(Units, ReadAddressesOfBothFamilies) {
  EXPECT_EQ(parse_address("mqtt.example.com"), (Address{"mqtt.example.com", 0}));
  EXPECT_EQ(parse_address("h:1883"), (Address{"h", 1883}));
  EXPECT_EQ(parse_address("[::1]"), (Address{"::1", 0}));
  EXPECT_EQ(parse_address("[fe80::1%eth0]:99"), (Address{"fe80::1%eth0", 99}));
  for (const char* bad : {"", ":1", "h:", "h:0", "h:65536", "h:x", "::1", "[::1", "[::1]x", "[h]:1", "[]:1", "a b",
                          "mqtt://h", "u@h", "h:1:2"})
    EXPECT_FALSE(parse_address(bad)) << bad;
}

TEST(Units, BindToAddressesAndInterfacesOnly) {
  for (const char* good : {"0.0.0.0", "::", "192.168.1.2", "fe80::1%eth0", "eth1", "wlan0.5"})
    EXPECT_TRUE(is_bind(good)) << good;
  for (const char* bad : {"", "localhost", "1.2.3", "1.2.3.400", "a b", "eth0/1", "an-interface-too-long", "h:1"})
    EXPECT_FALSE(is_bind(bad)) << bad;
  EXPECT_TRUE(is_loopback("127.0.0.2"));
  EXPECT_TRUE(is_loopback("::1"));
  EXPECT_FALSE(is_loopback("0.0.0.0"));
}

TEST(Units, ReadPercents) {
  EXPECT_EQ(parse_percent("80%"), 80);
  for (const char* bad : {"80", "%", "101%", "-1%", "8 %"}) EXPECT_FALSE(parse_percent(bad)) << bad;
}

TEST(Suggest, FindsTheSlipAndNothingFarFetched) {
  const std::vector<std::string> keys = {"name", "keepalive", "clean_session", "window"};
  EXPECT_EQ(nearest("keepalvie", keys), "keepalive");
  EXPECT_EQ(nearest("keep-alive", keys), "keepalive");
  EXPECT_EQ(nearest("cleanSession", keys), "clean_session");
  EXPECT_EQ(nearest("nme", keys), "name");
  EXPECT_EQ(nearest("port", keys), std::nullopt);
  EXPECT_EQ(nearest("", keys), std::nullopt);
  EXPECT_EQ(nearest(std::string(1000, 'x'), keys), std::nullopt);
}

}  // namespace
}  // namespace tidegate::config
