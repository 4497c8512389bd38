// The table of raw packets against a broker: what is wrong ends its own connection with the right word, and nobody else
// notices (invariant 6).
#include <gtest/gtest.h>

#include <random>

#include "tests/support/broker_harness.h"
#include "tests/support/packets.h"

namespace tidegate::test {
namespace {

std::string hex(mqtt::ReasonCode reason) {
  return describe(mqtt::Disconnect{reason, {}}).substr(std::string("disconnect ").size());
}

bool is_connect(const RawPacket& row) {
  return row.hex.starts_with('1');
}

struct RawPacketsTest : testing::Test {
  RawPacketsTest() : bystander(h.client("bystander")) {}
  void expect_undisturbed() {
    bystander.ping();
    EXPECT_EQ(bystander.got(), "pingresp");
    EXPECT_EQ(h.counters().connections_now, 1u);
  }
  BrokerHarness h;
  Client& bystander;
};

// [MQTT-3.1.2-1, 3.1.4-1, 3.14.0-1] [MQTT-3.1.4-1, 3.2.2-6 of 3.1.1]
TEST_F(RawPacketsTest, ARefusedFirstPacketIsClosedOrAnsweredByConnack) {
  for (const RawPacket& row : all_packets()) {
    if (!is_connect(row) || row.verdict != Verdict::refused) continue;
    SCOPED_TRACE(row.name);
    Client& c = h.newcomer("c");
    bool version = row.reason == mqtt::ReasonCode::unsupported_protocol_version;
    bool told = holds_in(row, v5) && !holds_in(row, v4);  // else it does not come as far as the version
    c.open(told ? v5 : v4);
    c.send(bytes_of(row.hex));
    EXPECT_EQ(c.got(), told ? "connack " + hex(row.reason) + ", closed" : version ? "connack 1, closed" : "closed");
  }
  expect_undisturbed();
}

TEST_F(RawPacketsTest, ARefusedPacketEndsTheConnectionWithItsReason) {  // [MQTT-3.14.4-2, 4.13.1-1, 4.13.2-1]
  for (const RawPacket& row : all_packets()) {
    if (is_connect(row) || row.verdict != Verdict::refused) continue;
    for (auto version : {v3, v4, v5}) {
      if (!holds_in(row, version)) continue;
      SCOPED_TRACE(testing::Message() << row.name << ", version " << static_cast<int>(version));
      Client& c = h.client("c", {.version = version});
      c.send(bytes_of(row.hex));
      EXPECT_EQ(c.got(), version == v5 ? "disconnect " + hex(row.reason) + ", closed" : "closed");
    }
  }
  expect_undisturbed();
}

TEST_F(RawPacketsTest, APacketThatOnlyAServerSendsIsAProtocolError) {
  for (const RawPacket& row : all_packets()) {
    if (row.direction != Direction::to_client || row.verdict == Verdict::refused) continue;
    for (auto version : {v3, v4, v5}) {
      if (!holds_in(row, version) || row.hex.starts_with("33") || row.hex.starts_with("e0")) continue;
      SCOPED_TRACE(testing::Message() << row.name << ", version " << static_cast<int>(version));
      Client& c = h.client("c", {.version = version});
      c.send(bytes_of(row.hex));
      EXPECT_EQ(c.got(), version == v5 ? "disconnect 0x82, closed" : "closed");
    }
  }
  expect_undisturbed();
}

TEST_F(RawPacketsTest, AGoodPacketFromAClientIsTaken) {
  for (const RawPacket& row : all_packets()) {
    if (row.direction == Direction::to_client || row.verdict == Verdict::refused || is_connect(row)) continue;
    if (row.hex.starts_with("f0") || row.hex.starts_with("e0")) continue;  // AUTH without a method, DISCONNECT
    if (row.name == "publish 5.0 with an alias for its topic") continue;   // not learnt
    for (auto version : {v3, v4, v5}) {
      if (!holds_in(row, version)) continue;
      SCOPED_TRACE(testing::Message() << row.name << ", version " << static_cast<int>(version));
      Client& c = h.client("c", {.version = version});
      c.send(bytes_of(row.hex));
      EXPECT_TRUE(c.is_open());
      c.disconnect();
    }
  }
  expect_undisturbed();
}

TEST_F(RawPacketsTest, AnythingAtAllDisturbsNobody) {
  std::mt19937 random(4711);
  const auto& rows = all_packets();
  for (int round = 0; round < 3000; ++round) {
    mqtt::Version version = std::array{v3, v4, v5}[random() % 3];
    Client& c = h.newcomer("junk" + std::to_string(random() % 3));
    c.connect({.version = version, .clean = random() % 2 == 0});
    for (int i = 0; i < 5 && c.is_open(); ++i) {
      std::string bytes = bytes_of(rows[random() % rows.size()].hex);
      if (random() % 2) bytes[random() % bytes.size()] = static_cast<char>(random());
      c.send(bytes);
    }
    (void)c.packets();
    c.lose();
  }
  expect_undisturbed();
}

}  // namespace
}  // namespace tidegate::test
