#include "config/mosquitto.h"

#include "tests/unit/config/load_fixture.h"

namespace tidegate::config {
namespace {

class Mosquitto : public LoadTest {
 protected:
  // What is said about `written` in a bridge, from the message on.
  std::string answer(const std::string& written) {
    std::string all = problems(bridge(written));
    size_t at = all.find("write ");
    if (at == std::string::npos) at = all.find("did you mean ");
    return at == std::string::npos ? all : all.substr(at, all.find('\n', at) - at);
  }
};

TEST_F(Mosquitto, SpellingsAreAnsweredWithTheKeyAndTheValueToWrite) {
  EXPECT_EQ(answer(R"("cleansession": false)"), R"(write "clean_session": false)");
  EXPECT_EQ(answer(R"("keepalive_interval": 60)"), R"(write "keepalive": "60s")");
  EXPECT_EQ(answer(R"("remote_clientid": "x")"), R"(write "client_id": "x")");
  EXPECT_EQ(answer(R"("address": "h:1")"), R"(write "addresses": ["h:1"])");
  EXPECT_EQ(answer(R"("bridge_cafile": "ca.crt")"), R"(write "ca_file": "ca.crt" in bridges[].tls)");
  EXPECT_EQ(answer(R"("cafile": "ca.crt")"), R"(write "ca_file": "ca.crt" in bridges[].tls)");
  EXPECT_EQ(answer(R"("bridge_insecure": true)"), R"(write "verify_host": false in bridges[].tls)");
  EXPECT_EQ(answer(R"("bridge_outgoing_retain": false)"), R"(write "retain": "clear" in bridges[].rules[])");
  EXPECT_EQ(answer(R"("bridge_protocol_version": "mqttv50")"), R"(write "protocol_version": "5.0")");
  EXPECT_EQ(answer(R"("topic": "# out 1")"), R"(write "rules": [{ "topic": "...", "direction": "out", "qos": 1 }])");
}

TEST_F(Mosquitto, ValuesAreAnsweredToo) {
  EXPECT_EQ(answer(R"("restart_timeout": "5 30")"), R"(did you mean { "base": "5s", "cap": "30s" }?)");
  EXPECT_EQ(answer(R"("restart_timeout": 5)"), R"(did you mean { "base": "5s" }?)");
  EXPECT_EQ(answer(R"("protocol_version": "mqttv311")"), R"(did you mean "3.1.1"?)");
  EXPECT_EQ(answer(R"("tls": true)"), "did you mean {}?");
}

// Seen: whoever was called mqtt was to be called tcp.
TEST_F(Mosquitto, NamesStayAsTheyAre) {
  EXPECT_EQ(answer(R"("remote_clientid": "mqtt")"), R"(write "client_id": "mqtt")");
  EXPECT_NE(problems(R"({"protocol": "mqtt"})").find(R"(write "transport": "tcp")"), std::string::npos);
}

TEST_F(Mosquitto, KeysOfTheTopLevelAreSentToTheirSection) {
  EXPECT_NE(problems(R"({"plugin_opt_db": "x"})").find("it is Mosquitto's; none"), std::string::npos);
  EXPECT_NE(problems(R"({"plugin_opt_sync": "full"})").find(R"(write "durability": "always" in store)"),
            std::string::npos);
  EXPECT_NE(problems(R"({"max_queued_messages": 0})").find(R"(write "max_queued_messages": "unlimited" in limits)"),
            std::string::npos);
  EXPECT_NE(problems(R"({"listener": 1883})").find(R"(write "port": 1883, "bind": "0.0.0.0" in listeners[])"),
            std::string::npos);
  EXPECT_NE(problems(R"({"persistence_location": "/x/"})").find(R"(write "path": "/x/" in store)"), std::string::npos);
  EXPECT_NE(problems(R"({"autosave_interval": 5})").find("not needed"), std::string::npos);
}

TEST_F(Mosquitto, WordsThatMeanSomethingElseHereDependOnThePlace) {
  std::string all =
      problems(R"({"listeners": [{"name": "a", "bind": "::1", "allow_anonymous": true, "address": "x"}]})");
  EXPECT_NE(all.find(R"(write "bind": "x")"), std::string::npos) << all;
}

TEST_F(Mosquitto, NameThatBothHaveIsAnsweredByItsPlaceHere) {
  std::string all =
      problems(R"({"listeners": [{"name": "a", "bind": "::1", "allow_anonymous": true, "max_keepalive": "1h"}]})");
  EXPECT_NE(all.find(R"("max_keepalive" here; it belongs in listeners[].limits)"), std::string::npos) << all;
}

}  // namespace
}  // namespace tidegate::config
