// The bridge against a peer that does what the test says.
#include "tests/scripted/bridge/fake_peer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <set>

#include "tests/scripted/bridge/fake_link.h"
#include "tests/scripted/bridge/rig.h"

using namespace std::chrono_literals;
using namespace std::string_view_literals;

namespace tidegate::bridge {
namespace {

// What arrived without the repetitions: the order of first arrivals.
std::vector<std::string> first_arrivals(const FakePeer& peer) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  for (const auto& p : peer.publishes()) {
    if (seen.insert(p.payload).second) out.push_back(p.payload);
  }
  return out;
}
std::vector<std::string> topics_of(const std::vector<Rig::Inbound>& messages) {
  std::vector<std::string> out;
  for (const auto& one : messages) out.push_back(one.message->topic);
  return out;
}
std::vector<std::string> numbers(size_t count) {
  std::vector<std::string> out;
  for (size_t i = 1; i <= count; ++i) out.push_back(std::to_string(i));
  return out;
}

TEST(BridgeAgainstAFakePeer, ConnectsAsConfigured) {
  FakePeer peer;
  Rig rig;
  Options o = Rig::options(peer.port());
  o.username = "plant7";
  o.password = "secret";
  o.keepalive = Seconds{60};
  o.notifications = true;
  o.notification_topic = "state/test";
  rig.start(o);
  ASSERT_TRUE(rig.wait_for(LinkState::connected));
  auto connect = peer.connects().at(0);
  EXPECT_EQ(connect.version, 5);
  EXPECT_FALSE(connect.clean);
  EXPECT_EQ(connect.properties.substr(0, 1), "\x11") << "session expiry, or 5.0 ends the session with the connection";
  EXPECT_EQ(connect.client_id, o.client_id);
  EXPECT_EQ(connect.username, "plant7");
  EXPECT_EQ(connect.password, "secret");
  EXPECT_LE(connect.keepalive, 60);
  EXPECT_EQ(connect.will_topic, "state/test");
  EXPECT_EQ(connect.will_payload, "0");
  ASSERT_TRUE(peer.wait([&] { return peer.publishes().size() == 1; }));
  EXPECT_EQ(peer.publishes()[0].payload, "1");
  EXPECT_TRUE(peer.publishes()[0].retain);
  rig.stop();
  ASSERT_EQ(peer.publishes().size(), 2u);
  EXPECT_EQ(peer.publishes()[1].payload, "0");
  EXPECT_TRUE(peer.wait([&] { return peer.disconnects() == 1; }));
  EXPECT_EQ(rig.bridge().status().state, LinkState::stopped);
}

TEST(BridgeOverAFakeLink, TakesNoOtherAnswerForThatToItsGoodbye) {
  FakeRemote remote;  // answers the hello only once there is a goodbye, and that never
  LinkToken hello = 0;
  remote.on_publish([&](LinkEvents& events, LinkToken token, const Message& message) -> Status {
    if (message.payload == "1") hello = token;
    if (message.payload == "0") events.acknowledged(hello);
    return {};
  });
  Rig rig;
  Options o = Rig::options(1);
  o.notifications = true;
  o.notification_topic = "state/test";
  rig.start(o, {}, remote.link());
  ASSERT_TRUE(rig.wait_for(LinkState::connected));
  const auto begin = std::chrono::steady_clock::now();
  rig.stop();
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 300ms);
}

TEST(BridgeAgainstAFakePeer, SpeaksTheVersionThatIsAsked) {
  FakePeer peer;
  Rig rig;
  Options o = Rig::options(peer.port());
  o.protocol_version = ProtocolVersion::v311;
  o.clean_session = true;
  rig.start(o);
  ASSERT_TRUE(rig.wait_for(LinkState::connected));
  EXPECT_EQ(peer.connects().at(0).version, 4);
  EXPECT_TRUE(peer.connects().at(0).clean);
  EXPECT_EQ(rig.bridge().status().protocol, 4);
}

TEST(BridgeAgainstAFakePeer, FallsBackTo311WhereTheVersionIsRefused) {
  FakePeer peer({.connack_code = 0x84});
  Rig rig;
  rig.start(Rig::options(peer.port()));
  ASSERT_TRUE(peer.wait([&] { return peer.connects().size() >= 2; }));
  EXPECT_EQ(peer.connects()[0].version, 5);
  EXPECT_EQ(peer.connects()[1].version, 4);
  peer.set({});
  ASSERT_TRUE(rig.wait_for(LinkState::connected));
  EXPECT_EQ(rig.bridge().status().protocol, 4);
}

TEST(BridgeAgainstAFakePeer, SendsTheQueueInOrderAndEmptiesIt) {
  FakePeer peer;
  Rig rig;
  rig.append(300);
  rig.start(Rig::options(peer.port()));
  ASSERT_TRUE(rig.drained());
  EXPECT_EQ(first_arrivals(peer), numbers(300));
  EXPECT_EQ(rig.bridge().status().delivered, 300u);
  rig.stop();
  EXPECT_TRUE(peer.wait([&] { return rig.memory().table(store::Table::queue).empty(); }));
  EXPECT_EQ(rig.bridge().final_queues().out_head.first, Seq{301});
}

TEST(BridgeAgainstAFakePeer, StaysBelowTheReceiveMaximum) {
  FakePeer peer({.receive_maximum = 5, .acknowledge = false});
  Rig rig;
  rig.append(50);
  rig.start(Rig::options(peer.port()));
  ASSERT_TRUE(peer.wait([&] { return peer.publishes().size() >= 4; }));
  EXPECT_FALSE(peer.wait([&] { return peer.publishes().size() > 4; }, 300ms));
  EXPECT_EQ(rig.bridge().status().in_flight, 4u);
}

TEST(BridgeAgainstAFakePeer, LosesNothingAndKeepsOrderWhenTheLinkBreaksAgainAndAgain) {
  FakePeer peer({.close_after_publishes = 370});
  Rig rig;
  rig.append(2000);
  rig.start(Rig::options(peer.port()));
  ASSERT_TRUE(rig.drained());
  EXPECT_EQ(first_arrivals(peer), numbers(2000));
  EXPECT_GT(rig.bridge().status().possible_duplicates, 0u);
}

TEST(BridgeAgainstAFakePeer, APeerThatAcceptsAndClosesIsNotHammered) {
  FakePeer peer({.close_on_accept = true});
  Rig rig;
  Options o = Rig::options(peer.port());
  o.restart_timeout = {Millis{100}, Millis{60'000}, Millis{30'000}};
  o.protocol_version = ProtocolVersion::v5;
  rig.start(o);
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.tries >= 3; }));
  EXPECT_FALSE(peer.wait([&] { return peer.accepts() > 20; }, 1500ms));
  EXPECT_NE(rig.bridge().status().last_error.step, Step::none);
}

TEST(BridgeAgainstAFakePeer, APeerThatCutsAfterConnackIsNotHammered) {
  FakePeer peer({.close_after_connack = true});
  Rig rig;
  Options o = Rig::options(peer.port());
  o.restart_timeout = {Millis{100}, Millis{60'000}, Millis{30'000}};
  rig.append(10);
  rig.start(o);
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.connects >= 2; }));
  EXPECT_FALSE(peer.wait([&] { return peer.accepts() > 20; }, 1500ms));
  EXPECT_EQ(rig.bridge().status().queue_messages, 10u);
}

TEST(BridgeAgainstAFakePeer, APeerWithoutConnackIsGivenUpInTime) {
  FakePeer silent({.answer_connect = false});
  FakePeer good;
  Rig rig;
  Options o = Rig::options(silent.port());
  o.addresses.push_back({"127.0.0.1", good.port()});
  o.connect_timeout = Millis{2500};
  rig.start(o);
  ASSERT_TRUE(rig.wait_for(LinkState::connected)) << "by the second address";
  EXPECT_EQ(rig.bridge().status().last_error.step, Step::connack);
  EXPECT_EQ(rig.bridge().status().address, "127.0.0.1:" + std::to_string(good.port()));
}

TEST(BridgeAgainstAFakePeer, ARefusalIsQuoted) {
  FakePeer peer({.connack_code = 0x86});
  Rig rig;
  rig.start(Rig::options(peer.port()));
  ASSERT_TRUE(rig.wait_for(LinkState::refused));
  BridgeStatus s = rig.bridge().status();
  EXPECT_EQ(s.last_error.step, Step::connack);
  EXPECT_EQ(s.last_error.code, 0x86);
  EXPECT_NE(s.last_error.text.find("Bad user name or password (CONNACK 134)"), std::string::npos) << s.last_error.text;
  EXPECT_NE(s.next_try, WallTime::never());
}

TEST(BridgeAgainstAFakePeer, ARefusalIn311IsQuoted) {
  FakePeer peer({.connack_code = 5});
  Rig rig;
  Options o = Rig::options(peer.port());
  o.protocol_version = ProtocolVersion::v311;
  rig.start(o);
  ASSERT_TRUE(rig.wait_for(LinkState::refused));
  EXPECT_NE(rig.bridge().status().last_error.text.find("Not authorized (CONNACK 5)"), std::string::npos);
}

TEST(BridgeAgainstAFakePeer, APortWithoutListenerIsToldAndTriedAgain) {
  uint16_t port = 0;
  {
    FakePeer gone;
    port = gone.port();
  }
  Rig rig;
  rig.start(Rig::options(port));
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.tries >= 2; }));
  EXPECT_EQ(rig.bridge().status().last_error.step, Step::tcp);
  EXPECT_EQ(rig.bridge().status().last_error.text, "127.0.0.1:" + std::to_string(port) + ": TCP: Connection refused");
  FakePeer peer({}, "127.0.0.1", port);
  ASSERT_TRUE(rig.wait_for(LinkState::connected));
}

TEST(BridgeAgainstAFakePeer, ARejectedMessageDoesNotStopTheOthers) {
  FakePeer peer({.puback_code = 0x90});
  Rig rig;
  rig.append(3);
  rig.start(Rig::options(peer.port()));
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.dropped.rejected == 3; }));
  EXPECT_EQ(rig.bridge().status().last_error.code, 0x90);
  peer.set({});
  rig.append(1);
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.delivered == 1; }));
}

TEST(BridgeAgainstAFakePeer, AStallClosesAndReconnects) {
  FakePeer peer({.acknowledge = false});
  Rig rig;
  Options o = Rig::options(peer.port());
  o.stall_timeout = Millis{500};
  rig.append(5);
  rig.start(o);
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.stalled; })) << "said before it is closed";
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.last_error.step == Step::stalled; }));
  peer.set({});
  ASSERT_TRUE(rig.drained());
  EXPECT_EQ(first_arrivals(peer), numbers(5));
}

TEST(BridgeAgainstAFakePeer, ASilentlyDeadLinkIsNoticedWithinOneAndAHalfKeepalives) {
  FakePeer peer({.answer_ping = false});
  Rig rig;
  Options o = Rig::options(peer.port());
  o.keepalive = Seconds{5};
  rig.start(o);
  ASSERT_TRUE(rig.wait_for(LinkState::connected));
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.state != LinkState::connected; }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 7600ms);
}

TEST(BridgeAgainstAFakePeer, Qos0GoesWhileConnectedAndIsCountedWhileNot) {
  FakePeer peer;
  Rig rig;
  auto message = std::make_shared<Message>();
  message->topic = "live";
  message->payload = "x";
  Options o = Rig::options(peer.port());
  o.start_type = StartType::off;
  rig.start(o);
  EXPECT_FALSE(rig.bridge().offer_qos0(message));
  EXPECT_EQ(rig.bridge().status().dropped.qos0_link_down, 1u);
  rig.stop();
  rig.start(Rig::options(peer.port()));
  ASSERT_TRUE(rig.wait_for(LinkState::connected));
  EXPECT_TRUE(rig.bridge().offer_qos0(message));
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.sent_qos0 == 1; }));
  ASSERT_TRUE(peer.wait([&] { return peer.publishes().size() == 1; }));
  EXPECT_EQ(peer.publishes()[0].qos, 0);
}

TEST(BridgeAgainstAFakePeer, SubscribesAndAcknowledgesOnlyWhatIsOnDisk) {
  FakePeer peer;
  Rig rig;
  Options o = Rig::options(peer.port());
  o.rules = {{.topic = "cmd/#", .direction = Direction::both, .local_prefix = "local/", .remote_prefix = "remote/"}};
  rig.start(o);
  ASSERT_TRUE(peer.wait([&] { return peer.subscribes().size() == 1; }));
  EXPECT_EQ(peer.subscribes()[0].filter, "remote/cmd/#");
  EXPECT_EQ(peer.subscribes()[0].options & 4, 4) << "no local";
  peer.send_publish("remote/cmd/1", "go", 1, std::string("\x26\x00\x01k\x00\x01v"sv));
  ASSERT_TRUE(peer.wait([&] { return peer.pubacks() == 1; }));
  auto got = rig.inbound_messages();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].message->topic, "local/cmd/1");
  EXPECT_EQ(got[0].message->payload, "go");
  EXPECT_EQ(got[0].message->properties, "\x26\x00\x01k\x00\x01v"sv);
  EXPECT_EQ(got[0].message->from_bridge, BridgeId{1});
  std::vector<store::QueueRecord> records;
  ASSERT_TRUE(rig.store().read_queue(QueueId{11}, Seq{1}, Seq{9}, {}, records));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].seq, got[0].seq);
}

// Given several filters in one call, Paho C++ 1.2.0 reads subscribe options that are gone.
TEST(BridgeAgainstAFakePeer, SubscribesToEachFilterInAPacketOfItsOwn) {
  for (ProtocolVersion version : {ProtocolVersion::v5, ProtocolVersion::v311}) {
    SCOPED_TRACE(version == ProtocolVersion::v5 ? "5.0" : "3.1.1");
    FakePeer peer;
    Rig rig;
    Options o = Rig::options(peer.port());
    o.protocol_version = version;
    o.rules = {{.topic = "a/#", .direction = Direction::in, .qos = Qos::at_most_once},
               {.topic = "b/+", .direction = Direction::in, .qos = Qos::at_least_once},
               {.topic = "c/#", .direction = Direction::both, .qos = Qos::at_least_once},
               {.topic = "d", .direction = Direction::in, .qos = Qos::exactly_once},
               {.topic = "e/#", .direction = Direction::in, .qos = Qos::at_most_once, .remote_prefix = "far/"}};
    rig.start(o);
    // QoS in bits 0 and 1; 5.0 only: no local 4, retain as published 8, retained messages of new subscriptions 16.
    const int own = version == ProtocolVersion::v5 ? 8 | 16 : 0, no_local = version == ProtocolVersion::v5 ? 4 : 0;
    const std::vector<std::pair<std::string, int>> wanted = {
        {"a/#", own}, {"b/+", own | 1}, {"c/#", own | no_local | 1}, {"d", own | 2}, {"far/e/#", own}};
    ASSERT_TRUE(peer.wait([&] { return peer.subscribes().size() >= wanted.size(); }));
    std::vector<std::pair<std::string, int>> asked;
    std::set<uint16_t> packets;
    for (const FakePeer::Subscribe& one : peer.subscribes()) {
      asked.emplace_back(one.filter, one.options);
      packets.insert(one.packet_id);
    }
    EXPECT_EQ(asked, wanted);
    EXPECT_EQ(packets.size(), wanted.size());
    size_t sent = 0;
    for (const char* topic : {"a/1", "b/1", "c/1", "d", "far/e/1"}) {
      peer.send_publish(topic, "go", 1);
      ASSERT_TRUE(peer.wait([&] { return peer.pubacks() > sent; })) << topic;
      ++sent;
    }
    EXPECT_EQ(topics_of(rig.inbound_messages()), (std::vector<std::string>{"a/1", "b/1", "c/1", "d", "e/1"}));
  }
}

TEST(BridgeAgainstAFakePeer, DoesNotAcknowledgeWhatTheStoreDoesNotTake) {
  FakePeer peer;
  Rig rig;
  Options o = Rig::options(peer.port());
  o.rules = {{.topic = "cmd", .direction = Direction::in}};
  rig.start(o);
  ASSERT_TRUE(peer.wait([&] { return peer.subscribes().size() == 1; }));
  rig.memory().fail_next(1, ErrorCode::no_space);
  store::Batch batch;
  batch.put(store::Table::state, "x", "y");
  rig.committer().submit(batch);  // fails, so that the store is known to be ill
  ASSERT_TRUE(peer.wait([&] { return rig.committer().health().state != store::Health::State::ok; }));
  peer.send_publish("cmd", "go", 1);
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.connects >= 2; })) << "cut, and connected again";
  EXPECT_EQ(peer.pubacks(), 0u);
  EXPECT_EQ(rig.inbound_count(), 0u);
}

TEST(BridgeAgainstAFakePeer, OwnEchoesIn311AreDropped) {
  FakePeer peer;
  Rig rig;
  Options o = Rig::options(peer.port());
  o.protocol_version = ProtocolVersion::v311;
  o.rules = {{.topic = "#", .direction = Direction::both}};
  rig.append(1);
  rig.start(o);
  ASSERT_TRUE(rig.drained());
  ASSERT_TRUE(peer.wait([&] { return peer.subscribes().size() == 1; }));
  peer.send_publish(peer.publishes()[0].topic, peer.publishes()[0].payload, 1);
  ASSERT_TRUE(peer.wait([&] { return peer.pubacks() == 1; }));
  EXPECT_EQ(rig.inbound_count(), 0u);
  peer.send_publish(peer.publishes()[0].topic, "foreign", 1);
  ASSERT_TRUE(peer.wait([&] { return peer.pubacks() == 2; }));
  EXPECT_EQ(rig.inbound_count(), 1u);
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.dropped.echoes <= 1; }));
}

TEST(BridgeAgainstAFakePeer, CarriesPropertiesAndTheRestOfTheExpiryUp) {
  FakePeer peer;
  Rig rig;
  rig.append(1, 0, [](Message& m) {
    m.properties = "\x01\x01\x03\x00\x04json\x26\x00\x01k\x00\x01v"sv;
    m.expires = read_clock().wall + Seconds{100};
  });
  rig.start(Rig::options(peer.port()));
  ASSERT_TRUE(rig.drained());
  const std::string got = peer.publishes().at(0).properties;
  EXPECT_NE(got.find("\x03\x00\x04json"sv), std::string::npos);
  EXPECT_NE(got.find("\x26\x00\x01k\x00\x01v"sv), std::string::npos);
  const size_t expiry = got.find("\x02\x00\x00\x00"sv);
  ASSERT_NE(expiry, std::string::npos);
  EXPECT_NEAR(static_cast<uint8_t>(got[expiry + 4]), 99, 1);
}

TEST(BridgeAgainstAFakePeer, AHangingNameServerDoesNotDisturbAnotherBridge) {
  struct Gate {
    std::mutex mutex;
    std::condition_variable opened;
    bool open = false;
  };
  auto gate = std::make_shared<Gate>();
  auto hang = [gate](const std::string&) -> Result<std::vector<std::string>> {
    std::unique_lock lock(gate->mutex);
    gate->opened.wait(lock, [&] { return gate->open; });
    return fail(ErrorCode::not_available, "late");
  };
  FakePeer peer;
  Rig dead(1), good(2);
  Options o = Rig::options(1);
  o.addresses = {{"dead.invalid", 1883}};
  o.name_lookup_timeout = Millis{300};
  dead.start(o, hang);
  good.start(Rig::options(peer.port()));
  ASSERT_TRUE(dead.wait([](const BridgeStatus& s) { return s.last_error.step == Step::name_lookup; }));
  const auto begin = std::chrono::steady_clock::now();
  good.append(500);
  ASSERT_TRUE(good.drained());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
  EXPECT_NE(dead.bridge().status().last_error.text.find("no answer from the name server"), std::string::npos);
  dead.stop();  // does not wait for the name server either
  std::lock_guard lock(gate->mutex);
  gate->open = true;
  gate->opened.notify_all();
}

TEST(BridgeAgainstAFakePeer, ANameIsConnectedThroughItsOwnLookup) {
  FakePeer peer;
  Rig rig;
  Options o = Rig::options(1);
  o.addresses = {{"remote.invalid", peer.port()}};
  rig.start(o, [](const std::string&) -> Result<std::vector<std::string>> {
    return std::vector<std::string>{"127.0.0.2", "127.0.0.1"};
  });
  ASSERT_TRUE(rig.wait_for(LinkState::connected)) << "by the second IP address";
  EXPECT_EQ(rig.bridge().status().address, "remote.invalid:" + std::to_string(peer.port()));
}

TEST(BridgeAgainstAFakePeer, AReloadGoesOnWhereTheQueueStands) {
  FakePeer peer({.acknowledge = false});
  Rig rig;
  rig.append(20);
  rig.start(Rig::options(peer.port()));
  ASSERT_TRUE(rig.wait([](const BridgeStatus& s) { return s.in_flight == 20; }));
  rig.stop();
  peer.set({});
  rig.start(Rig::options(peer.port()));
  ASSERT_TRUE(rig.drained());
  EXPECT_EQ(first_arrivals(peer), numbers(20));
}

}  // namespace
}  // namespace tidegate::bridge
