#include "config/secret.h"

#include <sstream>

#include "config/expand.h"
#include "tests/unit/config/load_fixture.h"

namespace tidegate::config {
namespace {

class Secrets : public LoadTest {
 protected:
  static std::string with_password(const std::string& written) {
    return bridge(R"("username": "u", "password": ")" + written + "\"");
  }
  Secret password(const std::string& written) { return loaded(with_password(written)).bridges.at(0).password.value(); }
};

TEST_F(Secrets, AreNeverPrinted) {
  std::ostringstream out;
  out << Secret("hunter2", "configuration");
  EXPECT_EQ(out.str(), "<secret>");
}

TEST_F(Secrets, ComeFromAFileWithoutItsLastNewline) {
  put("/etc/tidegate/s", "a\nb\n\n", 0640);
  EXPECT_EQ(password("file:s").reveal(), "a\nb\n");
  EXPECT_EQ(password("file:s").source(), "file:/etc/tidegate/s");
}

TEST_F(Secrets, ComeFromTheEnvironmentAsTheyAre) {
  set("PW", "file:$$x${Y}");
  EXPECT_EQ(password("${PW}").reveal(), "file:$$x${Y}");
  EXPECT_EQ(password("${PW}").source(), "environment PW");
}

TEST_F(Secrets, MayStandInAFileThatOthersCannotRead) {
  EXPECT_EQ(password("pa$$word").reveal(), "pa$word");
  EXPECT_EQ(problems(with_password("x"), 0600), "");
  EXPECT_EQ(
      problems(with_password("x"), 0644),
      "t.json:1:124: warning: /bridges/0/password: a secret stands in a file that others can read or change (mode "
      "0644); run: chmod 0640 t.json, or write \"file:PATH\"\n");
  EXPECT_NE(problems(with_password("x"), 0660), "") << "writable by the group";
  set("PW", "x");
  EXPECT_EQ(problems(with_password("${PW}"), 0644), "") << "nothing stands in the file";
}

TEST_F(Secrets, AreRefusedFromAFileThatOthersCanRead) {
  for (uint32_t mode : {0644u, 0660u, 0604u, 0740u}) {
    put("/etc/tidegate/s", "x", mode);
    std::string all = problems(with_password("file:s"));
    EXPECT_NE(all.find("run: chmod 0640 s\n"), std::string::npos) << all;
  }
}

TEST_F(Secrets, SayWhatIsWrongWithTheirFile) {
  EXPECT_NE(problems(with_password("file:gone")).find("the secret cannot be read: gone: No such file"),
            std::string::npos);
  put("/etc/tidegate/s", "\n");
  EXPECT_NE(problems(with_password("file:s")).find("expected a secret of 1 to 65536 bytes"), std::string::npos);
}

TEST_F(Secrets, DoNotStandInMessages) {
  std::string all = problems(R"({"access": {"users": [{"name": "u", "password_hash": "hunter2"}]},
      "bridges": [{"name": "b", "addresses": ["h"], "password": 123456, "remote_password": "hunter2"}]})");
  EXPECT_NE(all.find("a plain password is never taken"), std::string::npos) << all;
  EXPECT_EQ(all.find("hunter2"), std::string::npos) << all;
  EXPECT_EQ(all.find("123456"), std::string::npos) << all;
}

// Seen: the parser's own words ended with what it had read of the string.
TEST_F(Secrets, DoNotStandInWhatASyntaxErrorSays) {
  for (const char* tail : {"hunter2\n", "hunter2\\q\"", "hunter2"}) {
    std::string text = R"({"bridges": [{"password": ")" + std::string(tail);
    std::string all = problems(text);
    EXPECT_NE(all.find("syntax error"), std::string::npos) << all;
    EXPECT_EQ(all.find("hunter"), std::string::npos) << all;
  }
}

TEST_F(Secrets, OfUsersAreWholeHashes) {
  auto answer = [&](std::string hash) {
    return problems(R"({"access": {"users": [{"name": "u", "password_hash": ")" + hash + "\"}]}}");
  };
  EXPECT_EQ(answer(good_hash), "");
  EXPECT_EQ(answer("$7$101$abc$def") + answer("$6$abc$def"), "");
  EXPECT_NE(answer("$argon2id$v=19$m=1").find("found a part of one"), std::string::npos);
}

TEST_F(Secrets, FollowTheEnvironmentInAPath) {
  set("CREDENTIALS", "/run/credentials");
  put("/run/credentials/s", "x", 0400);
  EXPECT_EQ(password("file:${CREDENTIALS}/s").reveal(), "x");
}

TEST(Expand, ReplacesOnceAndLeavesOtherDollarsAlone) {
  Environment env = [](std::string_view name) -> std::optional<std::string> {
    if (name == "A") return "${B}";
    return std::nullopt;
  };
  EXPECT_EQ(expand("x${A}y", env), "x${B}y");
  EXPECT_EQ(expand("$SYS/#", env), "$SYS/#");
  EXPECT_EQ(expand("a$", env), "a$");
  EXPECT_EQ(expand("$$", env), "$");
  EXPECT_EQ(expand("$${A}", env), "${A}");
  EXPECT_EQ(expand("${C}", env).error(), "the environment variable C is not set");
  for (const char* bad : {"${", "${}", "${1}", "${A-B}", "${A"}) EXPECT_FALSE(expand(bad, env)) << bad;
}

}  // namespace
}  // namespace tidegate::config
