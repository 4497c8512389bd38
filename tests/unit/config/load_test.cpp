#include "config/load.h"

#include "tests/unit/config/load_fixture.h"

namespace tidegate::config {
namespace {

class Load : public LoadTest {};

TEST_F(Load, IsCompleteFromAnEmptyFile) {
  Config config = loaded("{}");
  EXPECT_EQ(config.gateway.name, "box-9");
  ASSERT_EQ(config.listeners.size(), 2u);
  EXPECT_EQ(config.listeners[0].bind, "127.0.0.1");
  EXPECT_TRUE(config.listeners[0].allow_anonymous);
  EXPECT_EQ(config.store.path, "tidegate-data");
  EXPECT_EQ(config, default_config("box-9", "tidegate-data"));
}

TEST_F(Load, LetsNobodyInWithoutANameOnceThereAreUsers) {
  put("/etc/tidegate/h", std::string(good_hash) + "\n");
  Config config = loaded(R"({"access": {"users": [{"name": "u", "password_hash": "file:h"}]}})");
  EXPECT_FALSE(config.listeners[0].allow_anonymous);
  EXPECT_EQ(config.access.users[0].password_hash.reveal(), good_hash);
}

TEST_F(Load, FillsInWhatDependsOnOtherKeys) {
  Bridge b = loaded(R"({"gateway": {"name": "g7"}, "bridges": [{"name": "b", "tls": {},
      "addresses": ["h", "10.0.0.1:77", "[::1]:88", "[::2]"], "rules": [{"topic": "x", "direction": "out"}]}]})")
                 .bridges.at(0);
  EXPECT_EQ(b.client_id, "g7.b");
  EXPECT_EQ(b.notification_topic, "$SYS/broker/connection/g7.b/state");
  EXPECT_EQ(b.status_topic, "$SYS/broker/bridge/b/status");
  EXPECT_EQ(b.addresses, (std::vector<Address>{{"h", 8883}, {"10.0.0.1", 77}, {"::1", 88}, {"::2", 8883}}));
  EXPECT_EQ(b.rules[0].qos, Qos::at_least_once);
}

TEST_F(Load, GivesAListenerTheGatewaysLimitsUnderItsOwn) {
  Config config = loaded(R"({"listeners": [{"name": "a", "bind": "::1", "allow_anonymous": true,
      "limits": {"max_connections": 5}}], "limits": {"max_connections": 50, "max_keepalive": "1m"}})");
  EXPECT_EQ(config.listeners[0].limits.max_connections, 5u);
  EXPECT_EQ(config.listeners[0].limits.max_keepalive, Seconds(60));
}

TEST_F(Load, NamesBothLinesOfADuplicateKey) {
  EXPECT_EQ(problems("{\"log\": {\n\"level\": \"info\",\n\"level\": \"debug\"}}"),
            "t.json:3:1: error: /log/level: duplicate key \"level\" in line 3; it stands in line 2 already\n");
}

TEST_F(Load, ReportsEveryErrorAtOnce) {
  EXPECT_EQ(problems(R"({
  "limits": { "max_connections": 0, "max_keepalive": 60 },
  "bridges": [{ "name": "a b", "adresses": ["h"], "rules": [{ "topic": "a/#/b", "direction": "out" }] }],
  "log": { "level": "inof" }
})"),
            R"(t.json:2:34: error: /limits/max_connections: expected a whole number, 1 to 1000000, found 0
t.json:2:54: error: /limits/max_keepalive: expected a duration such as "30s", 1s to 65535s, found 60; did you mean "60s"?
t.json:3:15: error: /bridges/0: the key "addresses" is missing (list of host[:port])
t.json:3:25: error: /bridges/0/name: expected a name of 1 to 64 characters out of A-Z a-z 0-9 _ -, found "a b"
t.json:3:32: error: /bridges/0/adresses: unknown key "adresses"; did you mean "addresses"?
t.json:3:72: error: /bridges/0/rules/0/topic: expected a topic filter (+ is a whole level, # the last), found "a/#/b"
t.json:4:21: error: /log/level: expected "error", "warning", "notice", "info" or "debug", found "inof"; did you mean "info"?
)");
}

TEST_F(Load, KnowsTheKeysThatAreNotBuiltYet) {
  EXPECT_EQ(problems(R"({"web": {}, "log": {"components": {"web": "info"}}})"),
            R"(t.json:1:2: error: /web: the key "web" is known but not in this version of Tidegate
t.json:1:36: error: /log/components/web: the key "web" is known but not in this version of Tidegate
)");
  EXPECT_NE(problems(bridge(R"("start_type": "lazy")")).find("not in this version"), std::string::npos);
  EXPECT_NE(problems(bridge(R"("profile": "azure-iot-hub")")).find("not in this version"), std::string::npos);
  EXPECT_NE(problems(bridge(R"("queue": {"when_full": "refuse"})")).find("not in this version"), std::string::npos);
}

TEST_F(Load, SaysWhereAKeyBelongs) {
  EXPECT_EQ(problems(R"({"max_sessions": 3})"),
            "t.json:1:2: error: /max_sessions: unknown key \"max_sessions\" here; it belongs in limits\n");
  EXPECT_NE(problems(bridge(R"("alarm_at": "5%")")).find("it belongs in bridges[].queue"), std::string::npos);
}

TEST_F(Load, ReadsDurationsOnlyWithAUnit) {
  EXPECT_EQ(loaded(bridge(R"("keepalive": "5m")")).bridges[0].keepalive, Seconds(300));
  auto hint = [&](const char* value) {
    std::string all = problems(bridge("\"keepalive\": " + std::string(value)));
    size_t at = all.find("did you mean");
    return at == std::string::npos ? all : all.substr(at);
  };
  EXPECT_EQ(hint("60"), "did you mean \"60s\"?\n");
  EXPECT_EQ(hint("\"60\""), "did you mean \"60s\"?\n");
  EXPECT_EQ(hint("\"60 sec\""), "did you mean \"60s\"?\n");
  EXPECT_EQ(hint("\"3 Minutes\""), "did you mean \"3m\"?\n");
  EXPECT_EQ(hint("1").find("did you mean"), std::string::npos) << "1s is below the least";
}

TEST_F(Load, TakesOffAndUnlimitedWhereZeroWouldBeAmbiguous) {
  Config config = loaded(R"({"gateway": {"sys_interval": "off"}, "limits": {"max_queued_messages": "unlimited",
      "max_queued_bytes": "unlimited"}})");
  EXPECT_FALSE(config.gateway.sys_interval);
  EXPECT_EQ(config.limits.max_queued_messages, unlimited);
  EXPECT_EQ(config.limits.max_queued_bytes, unlimited);
  std::string all = problems(R"({"gateway": {"sys_interval": 0}, "limits": {"max_queued_messages": 0,
      "max_queued_bytes": "0"}})");
  EXPECT_NE(all.find("found 0; did you mean \"off\"?"), std::string::npos) << all;
  EXPECT_NE(all.find("found 0; did you mean \"unlimited\" (0 never means \"no limit\")?"), std::string::npos) << all;
  EXPECT_NE(all.find("found \"0\"; did you mean \"unlimited\""), std::string::npos) << all;
}

TEST_F(Load, AsksForQuotesAroundVersions) {
  std::string all = problems(bridge(R"("protocol_version": 5.0)"));
  EXPECT_NE(all.find("found 5.0; did you mean \"5.0\"?"), std::string::npos) << all;
}

TEST_F(Load, AsksForAListWhereOneValueStands) {
  std::string all = problems(R"({"bridges": [{"name": "b", "addresses": "h:1"}]})");
  EXPECT_NE(all.find("did you mean [\"h:1\"]?"), std::string::npos) << all;
}

TEST_F(Load, RefusesPortsThatAreNone) {
  for (const char* port : {"0", "65536", "-1", "1.5", "\"x\""}) {
    std::string all = problems(R"({"listeners": [{"name": "a", "bind": "::1", "allow_anonymous": true, "port": )" +
                               std::string(port) + "}]}");
    EXPECT_NE(all.find("expected a whole number, 1 to 65535"), std::string::npos) << all;
  }
  EXPECT_NE(problems(R"({"bridges": [{"name": "b", "addresses": ["h:0"]}]})").find("expected host or host:port"),
            std::string::npos);
}

TEST_F(Load, TakesPathsFromTheFolderOfTheirFile) {
  put("/etc/tidegate/conf.d/b.json", R"({"log": {"destinations": [{"type": "file", "path": "log.txt"}]}})");
  Config config = loaded(R"({"include_dir": "conf.d", "store": {"path": "../data"}})");
  EXPECT_EQ(config.store.path, "/etc/data");
  EXPECT_EQ(config.log.destinations[0].path, "/etc/tidegate/conf.d/log.txt");
}

TEST_F(Load, JoinsIncludedFilesInOrderOfName) {
  put("/etc/tidegate/conf.d/20.json", R"({"bridges": [{"name": "c", "addresses": ["h"]}]})");
  put("/etc/tidegate/conf.d/10.jsonc",
      R"({"bridges": [{"name": "b", "addresses": ["h"]}], "log": {"level": "debug"}})");
  put("/etc/tidegate/conf.d/README", "not JSON");
  put("/etc/tidegate/conf.d/.10.json.swp", "not JSON");
  Config config = loaded(R"({"include_dir": "conf.d", "log": {"connection_messages": false},
      "bridges": [{"name": "a", "addresses": ["h"]}]})");
  ASSERT_EQ(config.bridges.size(), 3u);
  EXPECT_EQ(config.bridges[1].name, "b");
  EXPECT_EQ(config.bridges[2].name, "c");
  EXPECT_EQ(config.log.level, LogLevel::debug);
  EXPECT_FALSE(config.log.connection_messages);
}

TEST_F(Load, NamesBothFilesOfAValueGivenTwice) {
  put("/etc/tidegate/conf.d/a.json", "{\"log\":\n{\"level\": \"debug\"}}");
  EXPECT_EQ(problems("{\"include_dir\": \"conf.d\",\n\"log\": {\"level\": \"info\"}}"),
            "conf.d/a.json:2:2: error: /log/level: duplicate key \"level\" in line 2; it stands in t.json:2 already\n");
}

TEST_F(Load, NamesTheIncludedFileInWhatItFinds) {
  put("/etc/tidegate/conf.d/a.json",
      R"({"bridges": [{"name": "b", "addresses": ["h"], "window": 0}], "include_dir": "x"})");
  put("/etc/tidegate/conf.d/b.json", "{");
  std::string all = problems(R"({"include_dir": "conf.d", "bridges": [{"name": "b", "addresses": ["i"]}]})");
  EXPECT_NE(all.find("conf.d/a.json:1:58: error: /bridges/0/window: expected"), std::string::npos) << all;
  EXPECT_NE(all.find("conf.d/a.json:1:23: error: /bridges/0/name: the name \"b\" belongs to the bridge in t.json:1"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("conf.d/a.json:1:78: error: /include_dir: an included file includes no others"), std::string::npos)
      << all;
  EXPECT_NE(all.find("conf.d/b.json:1:2: error: "), std::string::npos) << all;
}

TEST_F(Load, SaysThatAFileIsNotThere) {
  auto result = load("/nowhere.json", outside());
  ASSERT_FALSE(result);
  EXPECT_EQ(render(result.error().at(0)),
            "/nowhere.json: error: the file cannot be read: /nowhere.json: No such file or directory");
}

TEST_F(Load, ReplacesVariablesInEveryKindOfString) {
  set("T", "off");
  set("M", "unlimited");
  set("P", "50%");
  set("D", "out");
  set("H", "broker:99");
  Config config = loaded(R"({"gateway": {"sys_interval": "${T}"}, "limits": {"max_queued_messages": "${M}",
      "max_queued_bytes": "${M}"}, "bridges": [{"name": "b", "addresses": ["${H}"], "queue": {"alarm_at": "${P}"},
      "rules": [{"topic": "$SYS/#", "direction": "${D}"}]}]})");
  EXPECT_FALSE(config.gateway.sys_interval);
  EXPECT_EQ(config.limits.max_queued_messages, unlimited);
  EXPECT_EQ(config.limits.max_queued_bytes, unlimited);
  EXPECT_EQ(config.bridges.at(0).addresses.at(0), (Address{"broker", 99}));
  EXPECT_EQ(config.bridges.at(0).queue.alarm_at, 50);
  EXPECT_EQ(config.bridges.at(0).rules.at(0).topic, "$SYS/#");
  EXPECT_EQ(problems(bridge(R"("username": "${NOBODY}")")),
            "t.json:1:107: error: /bridges/0/username: the environment variable NOBODY is not set\n");
}

TEST_F(Load, LimitsListsAndMessages) {
  std::string many;
  for (int i = 0; i < 1001; ++i) many += (i > 0 ? "," : "") + std::string("{}");
  EXPECT_EQ(problems(rules(many)), "t.json:1:57: error: /bridges/0/rules: expected at most 1000 entries, found 1001\n");
  EXPECT_NE(problems(R"({"bridges": [{"name": "b", "addresses": []}]})").find("found an empty one"), std::string::npos);
  EXPECT_LT(problems("{\"a\": \"" + std::string(100'000, 'x')).size(), 300u);
  std::string escape = problems(R"({"a\u001b[31m\n": 1})");
  EXPECT_NE(escape.find("unknown key \"a\\u001b[31m\\u000a\""), std::string::npos) << escape;
}

TEST_F(Load, RefusesAValueThatIsNoObject) {
  EXPECT_EQ(problems("[]"), "t.json:1:1: error: expected an object, found a list\n");
  EXPECT_NE(problems(R"({"limits": 3})").find("/limits: expected an object, found 3"), std::string::npos);
}

}  // namespace
}  // namespace tidegate::config
