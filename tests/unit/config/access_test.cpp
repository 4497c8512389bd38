// Users and topic rules: of the configuration and of Mosquitto's files, joined.
#include "tests/unit/config/load_fixture.h"

namespace tidegate::config {
namespace {

using access::AclRule;
using access::Permission;

class AccessFiles : public LoadTest {
 protected:
  void expect_says(const std::string& text, const std::string& part) {
    std::string all = problems(text);
    EXPECT_NE(all.find(part), std::string::npos) << text << "\nsays\n" << all;
  }
};

TEST_F(AccessFiles, JoinThePasswordFileAndTheUsers) {
  put("/etc/tidegate/passwords", std::string("bert:") + good_hash + "\ncarl:$7$101$c2FsdA==$aGFzaA==\n");
  Config config = loaded(R"({"access": {"password_file": "passwords", "users": [{"name": "anna", "password_hash": ")" +
                         std::string(good_hash) + "\"}]}}");
  ASSERT_EQ(config.access.logins.size(), 3u);
  EXPECT_EQ(config.access.logins[0].name, "anna");
  EXPECT_EQ(config.access.logins[1].password_hash.reveal(), good_hash);
  EXPECT_EQ(config.access.logins[2].name, "carl");
  EXPECT_FALSE(config.access.restricted);
}

TEST_F(AccessFiles, TellMistakesOfThePasswordFileByLine) {
  put("/etc/tidegate/passwords", std::string("anna:") + good_hash + "\nbert:plain\n", 0644);
  std::string all =
      problems(R"({"access": {"password_file": "passwords", "users": [{"name": "anna", "password_hash": ")" +
               std::string(good_hash) + "\"}]}}");
  EXPECT_NE(all.find("passwords:1:1: error: the user \"anna\" stands under access.users as well"), std::string::npos)
      << all;
  EXPECT_NE(all.find("passwords:2:1: error: user \"bert\": expected a hash"), std::string::npos) << all;
  EXPECT_NE(all.find("chmod 0640"), std::string::npos) << all;
  EXPECT_EQ(all.find("plain\n"), std::string::npos) << all;
}

TEST_F(AccessFiles, ThatAreNotThereAreNamedAtTheirKey) {
  expect_says(R"({"access": {"password_file": "nowhere"}})", "error: /access/password_file: the file cannot be read");
  expect_says(R"({"access": {"acl_file": "nowhere"}})", "error: /access/acl_file: the file cannot be read");
}

TEST_F(AccessFiles, JoinTheAclFileAndTheRules) {
  put("/etc/tidegate/acl", "topic read open\nuser anna\ntopic a/#\npattern write up/%u\n");
  Config config = loaded(R"({"access": {"acl_file": "acl", "acl": [
    {"user": "bert", "access": "read", "topic": "b/%c"},
    {"user": "*", "access": "deny", "topic": "secret"},
    {"anonymous": true, "access": "readwrite", "topic": "x"}]}})");
  EXPECT_TRUE(config.access.restricted);
  const std::string file = "/etc/tidegate/acl:", json = "/etc/tidegate/t.json:";
  EXPECT_EQ(config.access.rules,
            (std::vector<AclRule>{{AclRule::Who::anonymous, "", Permission::read, "open", file + "1"},
                                  {AclRule::Who::user, "anna", Permission::readwrite, "a/#", file + "3"},
                                  {AclRule::Who::everybody, "", Permission::write, "up/%u", file + "4"},
                                  {AclRule::Who::user, "bert", Permission::read, "b/%c", json + "2"},
                                  {AclRule::Who::everybody, "", Permission::deny, "secret", json + "3"},
                                  {AclRule::Who::anonymous, "", Permission::readwrite, "x", json + "4"}}));
}

TEST_F(AccessFiles, AnEmptyListOfRulesAllowsNothing) {
  EXPECT_TRUE(loaded(R"({"access": {"acl": []}})").access.restricted);
  EXPECT_FALSE(loaded(R"({"access": {}})").access.restricted);
}

TEST_F(AccessFiles, TellMistakesOfRules) {
  put("/etc/tidegate/acl", "\ntopik a\n");
  expect_says(R"({"access": {"acl_file": "acl"}})", "acl:2:1: error: expected \"user\", \"topic\" or \"pattern\"");
  expect_says(R"({"access": {"acl": [{"access": "read", "topic": "a"}]}})", "expected \"user\": \"NAME\"");
  expect_says(R"({"access": {"acl": [{"user": "a", "anonymous": true, "access": "read", "topic": "a"}]}})", "not both");
  expect_says(R"({"access": {"acl": [{"user": "a", "access": "read", "topic": "a/#/b"}]}})",
              "/access/acl/0/topic: expected a topic filter");
  expect_says(R"({"access": {"acl": [{"user": "a", "access": "subscribe", "topic": "a"}]}})", "\"readwrite\"");
}

}  // namespace
}  // namespace tidegate::config
