// Mosquitto's password file as text.
#include "gateway/access/password_file.h"

#include <gtest/gtest.h>

namespace tidegate::access {
namespace {

TEST(PasswordFile, ReadsEveryFormOfMosquitto) {
  PasswordFile file = parse_password_file(
      "# users\n"
      "anna:$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA\n"
      "bert:$7$101$c2FsdA==$aGFzaA==\r\n"
      "\n"
      "carl : $6$c2FsdA==$aGFzaA==");
  ASSERT_TRUE(file.problems.empty());
  ASSERT_EQ(file.users.size(), 3u);
  EXPECT_EQ(file.users[1].name, "bert");
  EXPECT_EQ(file.users[1].hash, "$7$101$c2FsdA==$aGFzaA==");
  EXPECT_EQ(file.users[2].name, "carl");
  EXPECT_EQ(file.users[2].line, 5u);
  EXPECT_EQ(form_of(file.users[0].hash).form, HashForm::argon2id);
  EXPECT_EQ(form_of(file.users[1].hash).form, HashForm::pbkdf2_sha512);
  EXPECT_EQ(form_of(file.users[2].hash).form, HashForm::sha512);
}

TEST(PasswordFile, NamesTheLineOfEveryMistakeAndNoPassword) {
  PasswordFile file = parse_password_file("anna\n:x\nbert:plain-secret\ncarl:$7$101$x\nd:$6$a$b\nd:$6$a$b\ne:$6$a$");
  ASSERT_EQ(file.problems.size(), 6u);
  for (const LineProblem& problem : file.problems) {
    EXPECT_EQ(problem.what.find("plain-secret"), std::string::npos) << problem.what;
  }
  EXPECT_EQ(file.problems[4].line, 6u);
  EXPECT_EQ(file.problems[4].what, "the user \"d\" stands above already");
}

TEST(PasswordFile, APlainPasswordIsKnownFromAHashAndFromAPartOfOne) {
  PasswordFile file = parse_password_file("a:secret\nb:$6$x$y\nc:$7$101$part\nd:$argon2i$old\ne:$ecret\nf:$2y$10$x");
  ASSERT_EQ(file.plain.size(), 2u);
  EXPECT_EQ(file.plain[0].hash, "secret");
  EXPECT_EQ(file.plain[1].name, "e");
}

TEST(PasswordFile, AUserIsChangedInItsPlaceAndEverythingElseStays) {
  EXPECT_EQ(with_user("# c\nanna:1\nbert:2", "anna", "3"), "# c\nanna:3\nbert:2");
  EXPECT_EQ(with_user("anna:1\nanna:2\n", "anna", "3"), "anna:3\n");
  EXPECT_EQ(with_user("bert:2", "anna", "3"), "bert:2\nanna:3\n");
  EXPECT_EQ(with_user("", "anna", "3"), "anna:3\n");
  EXPECT_EQ(without_user("# anna:1\nanna:1\nbert:2\n", "anna"), "# anna:1\nbert:2\n");
  EXPECT_EQ(without_user("bert:2\n", "anna"), std::nullopt);
}

}  // namespace
}  // namespace tidegate::access
