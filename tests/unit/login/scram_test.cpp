// SCRAM-SHA-256: the example of RFC 7677, and everything that is not it.
#include "gateway/login/scram.h"

#include <gtest/gtest.h>

#include "gateway/login/passwords.h"
#include "gateway/login/users.h"

namespace tidegate {
namespace {

constexpr const char* client_first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr const char* server_first =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr const char* client_final =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr const char* server_final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
// What PostgreSQL, which has the same form, makes of "pencil" and that salt.
constexpr const char* verifier =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

ScramServer example(std::string* asked = nullptr) {
  return ScramServer(
      [asked](const std::string& user) {
        if (asked) *asked = user;
        return parse_scram_verifier(verifier).value();
      },
      "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
}

TEST(Scram, GoesAsTheExampleOfTheStandard) {  // RFC 7677, 3
  ScramServer server = example();
  EXPECT_EQ(server.next(client_first), server_first);
  EXPECT_FALSE(server.is_done());
  EXPECT_EQ(server.next(client_final), server_final);
  EXPECT_TRUE(server.is_done());
  EXPECT_EQ(server.user(), "user");
  EXPECT_FALSE(server.next(client_final)) << "it is over";
}

TEST(Scram, TheVerifierIsThatOfThePassword) {
  EXPECT_TRUE(is_scram_password(verifier, "pencil"));
  EXPECT_FALSE(is_scram_password(verifier, "Pencil"));
  EXPECT_TRUE(is_password(verifier, "pencil")) << "also for a log-in by user name and password";
  auto made = make_scram_verifier("pencil");
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->starts_with("SCRAM-SHA-256$4096:"));
  EXPECT_TRUE(is_scram_password(*made, "pencil"));
  EXPECT_NE(*made, *make_scram_verifier("pencil")) << "each has its own salt";
  EXPECT_FALSE(make_scram_verifier("B\xc3\xa4r"));
}

TEST(Scram, AnyOtherLastMessageFails) {
  std::string good = client_final;
  size_t proof = good.find("p=") + 2, nonce = good.find("r=") + 2;
  for (std::string wrong : {std::string(), std::string("x"), good.substr(0, good.size() - 4), good.substr(0, proof),
                            good.substr(0, proof) + "AAAA", "c=eSws" + good.substr(6), good.substr(7),
                            std::string(good).replace(nonce, 1, "R"), std::string(good).replace(proof, 1, "e"),
                            std::string(good).replace(good.find(",p="), 3, ",x=1,p="), good + ","}) {
    ScramServer server = example();
    (void)server.next(client_first);
    EXPECT_FALSE(server.next(wrong)) << wrong;
    EXPECT_FALSE(server.is_done());
    EXPECT_FALSE(server.next(good)) << "there is no second try";
  }
}

TEST(Scram, FirstMessagesAreReadToTheLetter) {  // RFC 5802, 7
  for (const char* wrong :
       {"", "n", "n,", "n,,", "n,,n=user", "n,,r=x,n=user", "n,,n=,r=x", "n,,n=user,r=", "p=tls-unique,,n=user,r=x",
        "n,a=other,n=user,r=x", "n,x,n=user,r=x", "n,,n=us=er,r=x", "n,,m=ext,n=user,r=x", "z,,n=user,r=x"}) {
    ScramServer server = example();
    EXPECT_FALSE(server.next(wrong)) << wrong;
  }
  std::string asked;
  for (auto [message, user] : {std::pair{"y,,n=user,r=x", "user"}, std::pair{"n,a=user,n=user,r=x", "user"},
                               std::pair{"n,,n=a=2Cb=3Dc,r=x,ext=1", "a,b=c"}}) {
    ScramServer server = example(&asked);
    EXPECT_TRUE(server.next(message)) << message;
    EXPECT_EQ(asked, user);
  }
}

TEST(Scram, VerifiersAreReadToTheLetter) {
  std::string good = verifier;
  EXPECT_TRUE(parse_scram_verifier(good));
  for (std::string wrong :
       {std::string(), std::string("SCRAM-SHA-256$"), "X" + good, good.substr(0, good.size() - 4), good + "A",
        std::string(good).replace(14, 4, "0"), std::string(good).replace(14, 4, "-1"),
        std::string(good).replace(14, 4, "99999999999"), std::string(good).replace(14, 4, "4096 ")}) {
    EXPECT_FALSE(parse_scram_verifier(wrong)) << wrong;
  }
}

TEST(Users, WhoIsNotKnownLooksLikeWhoIs) {
  Users users;
  EXPECT_FALSE(users.has_scram_verifiers());
  users.set({{"anna", config::Secret(verifier, "test")}, {"bert", config::Secret(*hash_password("x"), "test")}});
  EXPECT_TRUE(users.has_scram_verifiers());
  EXPECT_EQ(users.scram_verifier("anna").salt, parse_scram_verifier(verifier)->salt);
  for (const char* name : {"bert", "nobody"}) {  // bert has a password, and no verifier
    ScramVerifier decoy = users.scram_verifier(name);
    EXPECT_EQ(decoy.iterations, 4096);
    EXPECT_EQ(decoy.salt.size(), 16u);
    EXPECT_EQ(decoy.salt, users.scram_verifier(name).salt) << "the same each time";
    Users restarted;
    restarted.set({{"anna", config::Secret(verifier, "test")}});
    EXPECT_EQ(decoy.salt, restarted.scram_verifier(name).salt);
    ScramServer server([&](const std::string& user) { return users.scram_verifier(user); }, "s");
    EXPECT_TRUE(server.next(std::string("n,,n=") + name + ",r=c"));
    EXPECT_FALSE(server.next("c=biws,r=cs,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
  }
  EXPECT_NE(users.scram_verifier("x").salt, users.scram_verifier("y").salt);
  EXPECT_TRUE(users.check("anna", "pencil"));
}

}  // namespace
}  // namespace tidegate
