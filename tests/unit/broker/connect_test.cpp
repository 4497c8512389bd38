// CONNECT and its refusals, sessions, take-over, keep-alive (MQTT 3.1, 3.2, 3.14, 4.1).
#include <gtest/gtest.h>

#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

using mqtt::PropertyId;
using mqtt::ReasonCode;

struct ConnectTest : testing::Test {
  std::string answer_to(const ConnectOptions& options, const std::string& id = "c") {
    Client& client = h.newcomer(id);
    client.connect(options);
    return client.got();
  }
  void limit(const std::function<void(broker::Limits&)>& change) {
    change(h.limits);
    h.apply_limits();
  }
  BrokerHarness h;
};

TEST_F(ConnectTest, AcceptsEveryVersion) {  // [MQTT-3.1.4-5]
  for (auto version : {v3, v4, v5}) EXPECT_EQ(answer_to({.version = version}), "connack 0");
}

TEST_F(ConnectTest, RefusesClientIdsWithoutAPrefixOfTheListener) {  // [MQTT-3.1.3-8]
  h.listener.client_id_prefixes = {"line3-", "hmi-"};
  EXPECT_EQ(answer_to({}, "line3-a"), "connack 0");
  EXPECT_EQ(answer_to({.version = v5}, "hmi-"), "connack 0");
  EXPECT_EQ(answer_to({}, "line4-a"), "connack 2, closed");
  EXPECT_EQ(answer_to({.version = v5}, "a-line3-"), "connack 0x85, closed");
  EXPECT_EQ(answer_to({.version = v5}, ""), "connack 0x85, closed");
}

TEST_F(ConnectTest, TheUserNameIsTheClientIdWhereTheListenerSaysSo) {
  h.listener.use_username_as_client_id = true;
  Client& first = h.client("anything", {.username = "sensor1"});
  EXPECT_EQ(answer_to({.version = v5, .username = "sensor1"}, "something else"), "connack 0");
  EXPECT_EQ(first.got(), "closed") << "taken over";
  EXPECT_EQ(h.broker().sessions(), 1u);
  EXPECT_EQ(answer_to({.username = "other", .identity = "sensor2"}, "x"), "connack 0");
  EXPECT_EQ(answer_to({.version = v4, .clean = false, .username = "sensor2"}, ""), "connack 0");
  EXPECT_EQ(h.broker().sessions(), 2u);
  EXPECT_EQ(answer_to({}, "sensor1"), "connack 2, closed");
  EXPECT_EQ(answer_to({.version = v5, .username = ""}, "sensor1"), "connack 0x85, closed");
}

TEST_F(ConnectTest, TheUserNameAsIdIsToldToWhoGaveNone) {  // [MQTT-3.2.2-16]
  h.listener.use_username_as_client_id = true;
  Client& none = h.client("", {.version = v5, .username = "sensor1"});
  EXPECT_EQ(none.connack().text(PropertyId::assigned_client_identifier), "sensor1");
  Client& some = h.client("x", {.version = v5, .username = "sensor2"});
  EXPECT_FALSE(some.connack().text(PropertyId::assigned_client_identifier));
}

TEST_F(ConnectTest, RefusesEmptyClientIdsWhereTheListenerSaysSo) {
  h.listener.allow_empty_client_id = false;
  EXPECT_EQ(answer_to({.version = v4}, ""), "connack 2, closed");
  EXPECT_EQ(answer_to({.version = v5}, ""), "connack 0x85, closed");
  EXPECT_EQ(answer_to({.version = v5}, "a"), "connack 0");
}

TEST_F(ConnectTest, AnAssignedIdHasThePrefixOfTheListener) {
  h.listener.auto_id_prefix = "lan-";
  Client& c = h.client("", {.version = v5});
  EXPECT_TRUE(c.connack().text(PropertyId::assigned_client_identifier)->starts_with("lan-"));
}

TEST_F(ConnectTest, RefusesAnUnknownVersion) {  // [MQTT-3.1.2-2] [MQTT-3.1.2-2 of 3.1.1]
  Client& c = h.newcomer("c");
  c.open();
  c.send(std::string_view("\x10\x0d\x00\x04MQTT\x09\x02\x00\x00\x00\x01x", 15));
  EXPECT_EQ(c.got(), "connack 1, closed");
}

TEST_F(ConnectTest, RefusesAVersionThatTheListenerDoesNotTake) {  // [MQTT-3.1.2-2, 3.2.2-7]
  h.listener.accept_v3_1 = h.listener.accept_v3_1_1 = h.listener.accept_v5 = false;
  EXPECT_EQ(answer_to({.version = v3}), "connack 1, closed");
  EXPECT_EQ(answer_to({.version = v4}), "connack 1, closed");
  EXPECT_EQ(answer_to({.version = v5}), "connack 0x84, closed");
}

TEST_F(ConnectTest, RefusesStrangersWhereNoneAreAllowed) {  // [MQTT-3.1.4-2, 3.2.2-7]
  h.listener.allow_anonymous = false;
  EXPECT_EQ(answer_to({.version = v4}), "connack 5, closed");
  EXPECT_EQ(answer_to({.version = v5}), "connack 0x87, closed");
}

TEST_F(ConnectTest, RefusesAuthenticationMethods) {  // 4.12
  EXPECT_EQ(answer_to({.version = v5, .properties = prop(PropertyId::authentication_method, "SCRAM")}),
            "connack 0x8c, closed");
}

TEST_F(ConnectTest, AnEmptyIdNeedsACleanSessionBefore5) {  // [MQTT-3.1.3-6, 3.1.3-7, 3.1.3-8, 3.1.3-9 of 3.1.1]
  EXPECT_EQ(answer_to({.version = v4, .clean = false}, ""), "connack 2, closed");
  EXPECT_EQ(answer_to({.version = v3}, ""), "connack 2, closed");
  EXPECT_EQ(answer_to({.version = v4}, ""), "connack 0");
  EXPECT_EQ(answer_to({.version = v4}, ""), "connack 0");
  EXPECT_EQ(h.broker().sessions(), 2u);
}

// Seen: a request of HTTP looked like the beginning of a long PUBACK, and held its place until connect_timeout.
TEST_F(ConnectTest, WhoSpeaksSomethingElseIsRefusedAtOnceAndToldOfInTheLog) {  // [MQTT-3.1.0-1]
  std::string http = "HTTP on an MQTT port; is this listener meant to be \"transport\": \"websocket\"?";
  std::string other = "first packet is not CONNECT [MQTT-3.1.0-1]";
  const std::pair<std::string, std::string> cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", http},
      {"GET / HTTP/1.1\r\n" + std::string(200, 'x'), http},
      {"POST /mqtt HTTP/1.1\r\n", http},
      {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), "TLS on a port without TLS"},
      {"G", other},
      {"\x30\x7f", other}};
  for (const auto& [bytes, why] : cases) {
    Client& c = h.newcomer("c");
    c.open();
    c.send(bytes);
    EXPECT_EQ(c.got(), "closed") << bytes;
    EXPECT_EQ(h.refused(), why);
    EXPECT_EQ(h.broker().pending_connects(), 0u);
  }
  Client& slow = h.newcomer("slow");
  slow.open();
  slow.send("\x10");
  EXPECT_EQ(slow.got(), "");
}

// Others have taken the very ids that come next, one of them is away.
TEST_F(ConnectTest, AnAssignedIdIsOneThatNobodyHas) {  // [MQTT-3.2.2-16]
  std::string next = "auto-" + std::to_string(h.now.wall.since_epoch.count()) + "-";
  h.client(next + "1");
  h.client(next + "2", {.clean = false}).lose();
  Client& c = h.client("", {.version = v5});
  EXPECT_EQ(c.connack().text(PropertyId::assigned_client_identifier), next + "3");
  EXPECT_EQ(h.broker().sessions(), 3u);
  h.crash();  // the count begins anew
  Client& d = h.client("", {.version = v5});
  EXPECT_EQ(d.connack().text(PropertyId::assigned_client_identifier), next + "1");
  Client& e = h.client("", {.version = v5});
  EXPECT_EQ(e.connack().text(PropertyId::assigned_client_identifier), next + "3");
}

TEST_F(ConnectTest, AnAssignedIdIsToldAndWorks) {  // [MQTT-3.1.3-6, 3.1.3-7]
  Client& c = h.client("", {.version = v5, .clean = false, .properties = session_expiry(60)});
  auto id = c.connack().text(PropertyId::assigned_client_identifier);
  ASSERT_TRUE(id);
  std::string name(*id);
  c.lose();
  EXPECT_EQ(answer_to({.version = v5, .clean = false, .properties = session_expiry(60)}, name), "connack 0 present");
}

TEST_F(ConnectTest, RefusesNewSessionsBeyondTheLimit) {
  limit([](auto& l) { l.sessions_max = 1; });
  Client& a = h.client("a", {.clean = false});
  EXPECT_EQ(answer_to({.version = v4}, "b"), "connack 3, closed");
  EXPECT_EQ(answer_to({.version = v5}, "b"), "connack 0x97, closed");
  a.lose();
  a.connect({.clean = false});
  EXPECT_EQ(a.got(), "connack 0 present");
}

TEST_F(ConnectTest, RefusesAWillToTheGatewaysOwnTopics) {
  EXPECT_EQ(answer_to({.version = v4, .will = WillOptions{.topic = "$SYS/broker/version"}}), "connack 5, closed");
  EXPECT_EQ(answer_to({.version = v5, .will = WillOptions{.topic = "$SYS/broker/version"}}), "connack 0x87, closed");
}

TEST_F(ConnectTest, TheFirstPacketMustBeConnect) {  // [MQTT-3.1.0-1]
  Client& c = h.newcomer("c");
  c.open();
  c.ping();
  EXPECT_EQ(c.got(), "closed");
}

TEST_F(ConnectTest, ASecondConnectIsAProtocolError) {  // [MQTT-3.1.0-2]
  Client& c = h.client("c", {.version = v5});
  c.send(std::string_view("\x10\x0e\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x01x", 16));
  EXPECT_EQ(c.got(), "disconnect 0x82, closed");
}

TEST_F(ConnectTest, WhoSendsNoConnectIsClosedInTime) {
  Client& c = h.newcomer("c");
  c.open();
  h.advance(Millis{9'999});
  EXPECT_TRUE(c.is_open());
  h.advance(Millis{1});
  EXPECT_EQ(c.got(), "closed");
}

TEST_F(ConnectTest, CredentialsAreCheckedInTheBackground) {
  h.listener.check_credentials = true;
  Client& c = h.newcomer("c");
  c.connect({.username = "u", .password = "p"});
  c.ping();  // waits
  ASSERT_EQ(h.out().checks.size(), 1u);
  EXPECT_EQ(h.out().checks[0].username + ":" + h.out().checks[0].password, "u:p");
  h.advance(Seconds{20});  // past the time for CONNECT
  EXPECT_EQ(c.got(), "");
  h.check_credentials(true);
  EXPECT_EQ(c.got(), "connack 0, pingresp");
}

TEST_F(ConnectTest, WrongCredentialsAreRefused) {
  h.listener.check_credentials = true;
  for (auto [version, answer] : {std::pair{v4, "connack 4, closed"}, std::pair{v5, "connack 0x86, closed"}}) {
    Client& c = h.newcomer("c");
    c.connect({.version = version, .username = "u"});
    h.check_credentials(false);
    EXPECT_EQ(c.got(), answer);
  }
}

// Seen: those with the right password were told that it is wrong, because a neighbour behind the same address guesses.
TEST_F(ConnectTest, ALogInThatIsNotCheckedIsToldToComeAgain) {
  h.listener.check_credentials = true;
  for (auto [version, answer] : {std::pair{v4, "connack 3, closed"}, std::pair{v5, "connack 0x89, closed"}}) {
    Client& c = h.newcomer("c");
    c.connect({.version = version, .username = "u"});
    h.turn([&] { h.broker().too_busy_to_check(c.conn()); });
    EXPECT_EQ(c.got(), answer);
  }
  EXPECT_EQ(h.broker().pending_connects(), 0u);
}

// Seen: a thousand log-ins that were checked at the same time all got in, whatever the limit.
TEST_F(ConnectTest, LimitsHoldForThoseWhoseLogInsAreCheckedAtTheSameTime) {
  limit([](auto& l) { l.sessions_max = 1; });
  h.listener.check_credentials = true;
  Client &a = h.newcomer("a"), &b = h.newcomer("b");
  for (Client* c : {&a, &b}) c->connect({.username = "u"});
  for (int i = 0; i < 2; ++i) h.check_credentials(true);
  EXPECT_EQ(a.got(), "connack 0");
  EXPECT_EQ(b.got(), "connack 3, closed");
}

TEST_F(ConnectTest, WhomTheTransportNamesNeedsNoPassword) {
  h.listener.check_credentials = true;
  h.listener.allow_anonymous = false;
  EXPECT_EQ(answer_to({.identity = "sensor1"}), "connack 0");
  EXPECT_EQ(answer_to({.username = "somebody", .password = "wrong", .identity = "sensor1"}), "connack 0");
  EXPECT_TRUE(h.out().checks.empty());
  EXPECT_EQ(answer_to({}), "connack 5, closed");
}

TEST_F(ConnectTest, TheTransportMayRefuse) {
  Client& c = h.newcomer("c");
  c.open();
  EXPECT_EQ(h.broker().pending_connects(), 1u);
  h.turn([&] { h.broker().refuse(c.conn(), "no certificate"); });
  EXPECT_EQ(c.got(), "closed");
  EXPECT_EQ(h.broker().pending_connects(), 0u);
}

TEST_F(ConnectTest, AnAnswerForALostConnectionIsIgnored) {
  h.listener.check_credentials = true;
  Client& c = h.newcomer("c");
  c.connect({.username = "u"});
  c.lose();
  c.open();
  h.check_credentials(true);
  EXPECT_EQ(c.got(), "");
  EXPECT_EQ(h.broker().sessions(), 0u);
}

TEST_F(ConnectTest, TheNewcomerTakesOver) {  // [MQTT-3.1.4-3]
  for (auto [version, answer] : {std::pair{v4, "closed"}, std::pair{v5, "disconnect 0x8e, closed"}}) {
    Client& old = h.client("same", {.version = version});
    Client& fresh = h.client("same", {.version = version});
    EXPECT_EQ(old.got(), answer);
    EXPECT_TRUE(fresh.is_open());
    fresh.disconnect();
  }
}

// The old one's CONNACK still waits for the disk: it is closed without a word, the newcomer is told of the session.
TEST_F(ConnectTest, TakesOverAConnectionThatIsNotAcceptedYet) {
  h.hold_disk();
  Client& old = h.newcomer("same");
  Client& fresh = h.newcomer("same");
  ConnectOptions kept{.version = v5, .clean = false, .properties = session_expiry(60)};
  old.connect(kept);
  old.subscribe("t", 1);
  fresh.connect(kept);
  EXPECT_EQ(old.got(), "closed");
  EXPECT_EQ(fresh.got(), "");
  h.commit_all();
  EXPECT_EQ(fresh.got(), "connack 0 present");
  h.free_disk();
  h.client("p").publish("t", "x", {.qos = 1});
  EXPECT_EQ(fresh.got(), "publish t=x q1 #1");
}

TEST_F(ConnectTest, AllOfATakeOverMayHappenInOneTurn) {
  Client& old = h.newcomer("same");
  old.open();
  Client& fresh = h.newcomer("same");
  fresh.open();
  std::string_view connect("\x10\x10\x00\x04MQTT\x04\x00\x00\x00\x00\x04same", 18);
  h.turn([&] {
    EXPECT_EQ(h.broker().packet(old.conn(), mqtt::frame(connect, 100)), broker::Taken::done);
    EXPECT_EQ(h.broker().packet(fresh.conn(), mqtt::frame(connect, 100)), broker::Taken::done);
  });
  EXPECT_EQ(old.got(), "closed");
  EXPECT_EQ(fresh.got(), "connack 0 present");
}

TEST_F(ConnectTest, ACleanStartDiscardsAllThatTheSessionHad) {  // [MQTT-3.1.2-4, 3.1.4-4]
  Client& p = h.client("p");
  Client& c = h.client("c", {.clean = false});
  c.subscribe("t", 2);
  c.publish("t", "begun", {.qos = 2, .id = 7});  // its receipt, and a delivery to itself
  c.lose();
  p.publish("t", "waiting", {.qos = 1, .id = 1});
  (void)c.got();
  c.connect({.version = v5, .clean = true, .properties = session_expiry(forever)});
  EXPECT_EQ(c.got(), "connack 0");
  p.publish("t", "nobody listens", {.qos = 1, .id = 2});
  EXPECT_EQ(c.got(), "");
  c.subscribe("t", 2);
  c.publish("t", "new under the old id", {.qos = 2, .id = 7});
  EXPECT_EQ(c.got(), "suback #1 02, publish t=new under the old id q2 #1, pubrec #7");
}

TEST_F(ConnectTest, SessionPresentSaysWhatIsThere) {  // [MQTT-3.2.2-2, 3.2.2-3]
  Client& c = h.client("c", {.clean = false});
  c.disconnect();
  EXPECT_EQ(answer_to({.clean = false}), "connack 0 present");
  EXPECT_EQ(answer_to({.clean = true}), "connack 0");
  EXPECT_EQ(answer_to({.clean = false}), "connack 0");
}

TEST_F(ConnectTest, ARefusalSaysNothingOfTheSessionThatIsThere) {  // [MQTT-3.2.2-6] [MQTT-3.2.2-4 of 3.1.1]
  h.client("c", {.clean = false}).disconnect();
  h.listener.allow_anonymous = false;
  EXPECT_EQ(answer_to({.version = v4, .clean = false}, "c"), "connack 5, closed");
  EXPECT_EQ(answer_to({.version = v5, .clean = false}, "c"), "connack 0x87, closed");
  EXPECT_EQ(h.broker().sessions(), 1u);
}

TEST_F(ConnectTest, Version3_1HasNoSessionPresent) {
  ConnectOptions kept{.version = v3, .clean = false};
  h.client("c", kept).disconnect();
  EXPECT_EQ(answer_to(kept), "connack 0");
  EXPECT_EQ(h.broker().sessions(), 1u);
}

TEST_F(ConnectTest, ASessionExpiresWhenItsTimeIsOver) {  // [MQTT-3.1.2-23, 4.1.0-2]
  ConnectOptions kept{.version = v5, .clean = false, .properties = session_expiry(60)};
  h.client("c", kept).lose();
  h.advance(Seconds{59});
  EXPECT_EQ(h.broker().sessions(), 1u);
  h.advance(Seconds{1});
  EXPECT_EQ(h.broker().sessions(), 0u);
  EXPECT_EQ(h.counters().sessions_expired, 1u);
  EXPECT_TRUE(h.store().table(store::Table::queue).empty());
  EXPECT_EQ(h.store().table(store::Table::state).size(), 1u);  // the next queue id
}

TEST_F(ConnectTest, AReconnectStopsTheClock) {
  ConnectOptions kept{.version = v5, .clean = false, .properties = session_expiry(60)};
  Client& c = h.client("c", kept);
  c.lose();
  h.advance(Seconds{59});
  c.connect(kept);
  h.advance(Seconds{600});
  EXPECT_EQ(h.broker().sessions(), 1u);
  c.lose();
  h.advance(Seconds{59});
  EXPECT_EQ(h.broker().sessions(), 1u);
}

TEST_F(ConnectTest, TheClockRunsOverRestarts) {
  ConnectOptions kept{.version = v5, .clean = false, .properties = session_expiry(60)};
  h.client("c", kept);
  h.crash();  // ends the connection
  h.advance(Seconds{40});
  h.crash();
  h.advance(Seconds{19});
  EXPECT_EQ(h.broker().sessions(), 1u);
  h.crash();
  h.advance(Seconds{1});
  EXPECT_EQ(h.broker().sessions(), 0u);
}

TEST_F(ConnectTest, ASessionThatExpiredWhileTheGatewayWasDownEndsAtTheStart) {
  h.client("c", {.version = v5, .clean = false, .properties = session_expiry(60)}).lose();
  h.now.wall = h.now.wall + Seconds{60};
  h.crash();
  EXPECT_EQ(h.broker().sessions(), 0u);
  h.crash();
  EXPECT_EQ(h.restored().sessions, 0u);
}

TEST_F(ConnectTest, ExpiryIsLimitedAndToldSo) {  // 3.2.2.3.2
  limit([](auto& l) { l.session_expiry_max = Seconds{100}; });
  Client& c = h.client("c", {.version = v5, .clean = false, .properties = session_expiry(forever)});
  EXPECT_EQ(c.connack().integer(PropertyId::session_expiry_interval), 100u);
  c.lose();
  h.client("old", {.clean = false}).lose();
  h.advance(Seconds{100});
  EXPECT_EQ(h.broker().sessions(), 0u);
}

TEST_F(ConnectTest, DisconnectMayChangeTheExpiry) {  // 3.14.2.2.2
  ConnectOptions kept{.version = v5, .clean = false, .properties = session_expiry(60)};
  h.client("c", kept).disconnect(ReasonCode::success, session_expiry(0));
  EXPECT_EQ(h.broker().sessions(), 0u);
  h.client("d", kept).disconnect(ReasonCode::success, session_expiry(600));
  h.advance(Seconds{599});
  EXPECT_EQ(h.broker().sessions(), 1u);
  h.advance(Seconds{1});
  EXPECT_EQ(h.broker().sessions(), 0u);
}

TEST_F(ConnectTest, DisconnectMustNotGiveAnExpiryToASessionWithout) {  // 3.14.2.2.2: protocol error
  Client& c = h.client("c", {.version = v5});
  c.disconnect(ReasonCode::success, session_expiry(60));
  EXPECT_EQ(c.got(), "disconnect 0x82, closed");
  EXPECT_EQ(h.broker().sessions(), 0u);
}

TEST_F(ConnectTest, SilenceOfOneAndAHalfKeepAlivesEndsTheConnection) {  // [MQTT-3.1.2-22, 3.2.2-22, 3.12.4-1]
  for (auto [version, answer] : {std::pair{v4, "closed"}, std::pair{v5, "disconnect 0x8d, closed"}}) {
    Client& c = h.client("c", {.version = version, .keep_alive = 10});
    h.advance(Millis{14'999});
    c.ping();
    EXPECT_EQ(c.got(), "pingresp");
    h.advance(Millis{14'999});
    EXPECT_EQ(c.got(), "");
    h.advance(Millis{1});
    EXPECT_EQ(c.got(), answer);
  }
}

// 3.1.2.10: a server may find a client that asks for no keep-alive unresponsive all the same.
TEST_F(ConnectTest, WhoAsksForMoreKeepAliveThanTheLimitOrForNoneIsWatchedByTheLimit) {  // 3.2.2.3.14
  limit([](auto& l) { l.keepalive_max = Seconds{60}; });
  for (auto version : {v4, v5}) {
    for (uint16_t keep_alive : {0, 100}) {
      Client& c = h.client("c", {.version = version, .keep_alive = keep_alive});
      if (version == v5) {
        EXPECT_EQ(c.connack().integer(PropertyId::server_keep_alive), 60u);
      }
      h.advance(Millis{89'999});
      EXPECT_TRUE(c.is_open());
      h.advance(Millis{1});
      EXPECT_FALSE(c.is_open());
    }
  }
}

TEST_F(ConnectTest, DeadlinesOfAnEarlierUseOfTheSlotAreOfNoEffect) {
  Client& a = h.client("a", {.keep_alive = 10});
  a.lose();
  a.open();
  Client& b = h.newcomer("b");
  b.connect({});
  h.advance(Seconds{5});
  EXPECT_TRUE(a.is_open());
  a.lose();
  Client& c = h.client("c");
  h.advance(Seconds{100});
  EXPECT_TRUE(c.is_open());
  EXPECT_TRUE(b.is_open());
}

TEST_F(ConnectTest, ConnackTellsOurLimits) {
  Client& c = h.client("c", {.version = v5, .keep_alive = 60});
  EXPECT_EQ(c.connack().integer(PropertyId::maximum_packet_size), h.limits.packet_bytes_max);
  EXPECT_EQ(c.connack().integer(PropertyId::topic_alias_maximum), 10u);
  EXPECT_EQ(c.connack().integer(PropertyId::shared_subscription_available).value_or(1), 1u);
  EXPECT_FALSE(c.connack().integer(PropertyId::server_keep_alive));
}

TEST_F(ConnectTest, ShutDownTellsEverybodyAndKeepsSessions) {
  Client& a = h.client("a", {.version = v5});
  Client& b = h.client("b", {.clean = false, .will = WillOptions{.topic = "w", .payload = "b gone", .qos = 1}});
  Client& k = h.client("k", {.clean = false});
  k.subscribe("w", 1);
  (void)k.got();
  h.turn([&] { h.broker().shut_down(); });
  EXPECT_EQ(a.got(), "disconnect 0x8b, closed");
  EXPECT_EQ(b.got(), "closed");
  h.crash();
  EXPECT_EQ(h.restored().sessions, 2u);
  k.connect({.clean = false});
  EXPECT_EQ(k.got(), "connack 0 present, publish w=b gone q1 #1 dup");
}

TEST_F(ConnectTest, ATooLargePacketEndsTheConnection) {  // 3.14.2.1: 0x95
  limit([](auto& l) { l.packet_bytes_max = 100; });
  Client& a = h.client("a", {.version = v5});
  a.publish("t", std::string(200, 'x'));
  EXPECT_EQ(a.got(), "disconnect 0x95, closed");
  Client& b = h.client("b");
  b.publish("t", std::string(200, 'x'));
  EXPECT_EQ(b.got(), "closed");
}

}  // namespace
}  // namespace tidegate::test
