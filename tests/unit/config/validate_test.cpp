#include "config/validate.h"

#include "tests/unit/config/load_fixture.h"

namespace tidegate::config {
namespace {

class Validate : public LoadTest {
 protected:
  void expect_says(const std::string& text, const std::string& part) {
    std::string all = problems(text);
    EXPECT_NE(all.find(part), std::string::npos) << text << "\nsays\n" << all;
  }
  static std::string listeners(const std::string& list) { return "{\"listeners\": [" + list + "]}"; }
};

TEST_F(Validate, RefusesAListenerThatLetsNobodyIn) {
  EXPECT_EQ(problems(listeners(R"({"name": "a", "bind": "::1"})")),
            "t.json:1:16: error: /listeners/0: this listener lets nobody in: add a user under access.users or an "
            "access.password_file, or write "
            "\"allow_anonymous\": true\n");
}

TEST_F(Validate, DoesNotBlameTheListenerForASlipUnderAccess) {
  std::string all = problems(R"({"listeners": [{"name": "a", "bind": "::1"}], "access": {"user": []}})");
  EXPECT_EQ(all.find("lets nobody in"), std::string::npos) << all;
  EXPECT_NE(all.find("did you mean \"users\"?"), std::string::npos) << all;
}

TEST_F(Validate, GoesOnBesideAReadingError) {
  std::string all = problems(listeners(R"({"name": "a", "bind": "::1", "port": "x"})"));
  EXPECT_NE(all.find("/listeners/0/port: expected"), std::string::npos) << all;
  EXPECT_NE(all.find("lets nobody in"), std::string::npos) << all;
}

TEST_F(Validate, DoesNotMissATopicBesideAKeyThatIsNotBuiltYet) {
  std::string all = problems(rules(R"({"direction": "in", "target": "x"})"));
  EXPECT_EQ(all.find("the rule has no topic"), std::string::npos) << all;
}

TEST_F(Validate, WarnsOfAnonymousAccessBeyondLoopback) {
  expect_says(
      listeners(R"({"name": "a", "bind": "0.0.0.0", "allow_anonymous": true})"),
      "warning: /listeners/0/allow_anonymous: everybody who reaches 0.0.0.0:1883 may read and write every topic");
  EXPECT_EQ(problems(listeners(R"({"name": "a", "bind": "127.0.0.1", "allow_anonymous": true})")), "");
}

TEST_F(Validate, RefusesTwoListenersOnOnePort) {
  auto two = [&](const std::string& a, const std::string& b) {
    std::string rest = R"(", "allow_anonymous": true})";
    return problems(
        listeners(R"({"name": "a", "bind": ")" + a + rest + ",\n" + R"({"name": "b", "bind": ")" + b + rest));
  };
  std::string all = two("127.0.0.1", "127.0.0.1");
  EXPECT_NE(
      all.find("t.json:2:23: error: /listeners/1/bind: port 1883 of 127.0.0.1 is taken by the listener in line 1"),
      std::string::npos)
      << all;
  EXPECT_NE(two("0.0.0.0", "127.0.0.1").find("is taken"), std::string::npos);
  EXPECT_EQ(two("0.0.0.0", "::").find("is taken"), std::string::npos) << "two families";
  EXPECT_EQ(two("127.0.0.1", "127.0.0.2"), "");
}

TEST_F(Validate, RefusesNamesUsedTwice) {
  expect_says(listeners(R"({"name": "a", "bind": "::1", "allow_anonymous": true},
      {"name": "a", "bind": "::1", "port": 2, "allow_anonymous": true})"),
              "t.json:2:16: error: /listeners/1/name: the name \"a\" belongs to the listener in line 1 already");
  expect_says(R"({"bridges": [{"name": "a", "addresses": ["h"]},
      {"name": "a", "addresses": ["i"]}]})",
              "/bridges/1/name: the name \"a\" belongs to the bridge in line 1 already");
  std::string user = R"({"name": "u", "password_hash": ")" + std::string(good_hash) + "\"}";
  expect_says(R"({"access": {"users": [)" + user + "," + user + "]}}", "the user stands in line 1 already");
}

TEST_F(Validate, RefusesTwoBridgesThatWouldGetInEachOthersWay) {
  expect_says(R"({"bridges": [{"name": "a", "addresses": ["h"], "notification_topic": "t"},
      {"name": "b", "addresses": ["i"], "notification_topic": "t"}]})",
              "/bridges/1/notification_topic: the bridge in line 1 publishes on \"t\", too");
  expect_says(R"({"bridges": [{"name": "a", "addresses": ["h"], "client_id": "x"},
      {"name": "b", "addresses": ["g", "h"], "client_id": "x"}]})",
              "they would evict each other");
}

TEST_F(Validate, RefusesFiltersThatAreNone) {
  expect_says(rules(R"({"topic": "a/#/b", "direction": "out"})"), "expected a topic filter");
  expect_says(rules(R"({"topic": "a+", "direction": "out", "local_prefix": "x/"})"),
              "found \"x/a+\" on the local side");
  expect_says(rules(R"({"direction": "out"})"), "/bridges/0/rules/0: the rule has no topic");
  expect_says(rules(R"({"topic": "a", "direction": "out", "local_prefix": "+/"})"),
              "/local_prefix: expected a prefix without + and #");
  expect_says(rules(R"({"topic": "a"})"), "the key \"direction\" is missing (\"out\", \"in\" or \"both\")");
}

TEST_F(Validate, LetsTwoPrefixesBeWholeTopics) {
  EXPECT_EQ(problems(rules(R"({"direction": "out", "local_prefix": "a/b", "remote_prefix": "c"})")), "");
}

TEST_F(Validate, WarnsOfAPrefixWithoutASlash) {
  expect_says(rules(R"({"topic": "a", "direction": "out", "remote_prefix": "x"})"),
              "warning: /bridges/0/rules/0/remote_prefix: the prefix has no slash at its end: \"xa\" may not be meant; "
              "write \"x/\"");
}

TEST_F(Validate, WarnsOfQos2WithoutAKeptSession) {
  EXPECT_EQ(problems(rules(R"({"topic": "a", "direction": "out", "qos": 2})")), "");
  expect_says(R"({"bridges": [{"name": "b", "addresses": ["h"], "clean_session": true,
                  "rules": [{"topic": "a", "direction": "out", "qos": 2}]}]})",
              "QoS 2 is carried as QoS 1 with \"clean_session\": true");
}

TEST_F(Validate, NamesOverlappingRules) {
  expect_says(rules("{\"topic\": \"a/+\", \"direction\": \"out\"},\n{\"topic\": \"a/b\", \"direction\": \"both\"}"),
              "t.json:2:1: warning: /bridges/0/rules/1: \"a/b\" overlaps \"a/+\" in line 1: what both match is sent "
              "once, by that rule");
  expect_says(rules(R"({"topic": "a", "direction": "out"}, {"topic": "a", "direction": "out", "qos": 2})"),
              "error: /bridges/0/rules/1: the same rule stands in line 1 already");
  EXPECT_EQ(problems(rules(R"({"topic": "a", "direction": "out"}, {"topic": "a", "direction": "in"})")), "");
  EXPECT_EQ(problems(rules(R"({"topic": "a/#", "direction": "out"}, {"topic": "b/#", "direction": "out"})")), "");
}

TEST_F(Validate, WarnsOfABridgeToItself) {
  expect_says(R"({"bridges": [{"name": "b", "addresses": ["localhost"]}]})",
              "/bridges/0/addresses/0: this is the gateway's own listener \"loopback\": a loop");
}

TEST_F(Validate, WarnsOfTheTlsPortWithoutTls) {
  expect_says(R"({"bridges": [{"name": "b", "addresses": ["h:8883"]}]})", "write \"tls\": {}");
  expect_says(listeners(R"({"name": "a", "bind": "::1", "port": 8883, "allow_anonymous": true})"),
              "warning: /listeners/0/port: 8883 is the port of MQTT over TLS");
}

// 10,000 sessions are the default: a box told to hold 18,000 connections refused the last 8,000.
TEST_F(Validate, WarnsOfConnectionsThatSessionsDoNotSufficeFor) {
  expect_says(R"({"limits": {"max_connections": 18000}})",
              "warning: /limits: a connected client has a session, too: of max_connections, 18000, only 10000 get in");
  EXPECT_EQ(problems(R"({"limits": {"max_connections": 18000, "max_sessions": 18000}})"), "");
}

TEST_F(Validate, WarnsOfQueuesThatTheStoreCannotHold) {
  expect_says(
      R"({"store": {"max_bytes": "1GiB"}, "bridges": [{"name": "a", "addresses": ["h"]},
      {"name": "b", "addresses": ["h"], "queue": {"max_bytes": "512MiB"}}]})",
      "warning: /store/max_bytes: the queues of all bridges may take 1536MiB together, and the store only 1GiB");
}

TEST_F(Validate, ChecksWhatBelongsTogether) {
  expect_says(bridge(R"("tls": {"cert_file": "c"})"), "cert_file and key_file go together");
  expect_says(bridge(R"("restart_timeout": {"base": "5m"})"), "base (5m) is above cap (2m)");
  expect_says(bridge(R"("password": "x")"), "a password without \"username\"");
  EXPECT_EQ(problems(bridge(R"("password": "x", "protocol_version": "5.0")")), "");
  expect_says(bridge(R"("notification_topic": "a/#")"), "expected a topic without + and #");
  expect_says(R"({"log": {"destinations": [{"type": "file"}]}})", "the key \"path\" is missing");
}

TEST_F(Validate, WarnsOfKeysThatTheirDestinationDoesNotHave) {
  auto to = [](const std::string& destination) { return R"({"log": {"destinations": [{)" + destination + "}]}}"; };
  expect_says(to(R"("type": "stderr", "path": "/x")"), "/log/destinations/0/path: has no effect");
  expect_says(to(R"("type": "syslog", "keep": 3)"), "/log/destinations/0/keep: has no effect");
  expect_says(to(R"("type": "topic", "facility": "daemon")"), "/log/destinations/0/facility: has no effect");
  expect_says(to(R"("type": "file", "path": "/x", "by_component": true)"), "by_component: has no effect");
  expect_says(to(R"("type": "journal", "format": "json")"), "a journal has fields");
  EXPECT_EQ(problems(to(R"("type": "syslog", "path": "/x", "facility": "local7", "format": "json")")), "");
  EXPECT_EQ(problems(to(R"("type": "file", "path": "/x", "max_size": "unlimited", "keep": 0)")), "");
}

}  // namespace
}  // namespace tidegate::config
