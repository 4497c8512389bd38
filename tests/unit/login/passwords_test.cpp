// Passwords against hashes of every form, made here and by mosquitto_passwd.
#include "gateway/login/passwords.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gateway/base/time.h"
#include "gateway/login/users.h"

namespace tidegate {
namespace {

// mosquitto_passwd -b -H sha512 and sha512-pbkdf2, password "secret".
constexpr const char* sha512 =
    "$6$dFooFAaQVkL4iOuq$AsBPfYGRWbdGFXl0HgBiqKYlU95LZy6lMxk/TvAaPokyCvxqpacePfCV4N+TB0I3m8GNHQ4rp91FB/LI9m4dcw==";
constexpr const char* pbkdf2 =
    "$7$101$yrQhrfn/v5E5u/pS$sSNvYfqvRokEfQc2KkdCnNxdDOV3a9XXqTGETxWU3H0pw326QJBf5L7cLTC0VSHNj2wfCkTZNGDj3d00+B0aWQ==";

TEST(Passwords, AreCheckedAgainstWhatWasMade) {
  auto hash = hash_password("secret");
  ASSERT_TRUE(hash);
  EXPECT_TRUE(hash->starts_with("$argon2id$"));
  EXPECT_TRUE(is_password(*hash, "secret"));
  EXPECT_FALSE(is_password(*hash, "Secret"));
  EXPECT_FALSE(is_password(*hash, ""));
}

TEST(Passwords, AreCheckedAgainstMosquittosHashes) {
  for (const char* hash : {sha512, pbkdf2}) {
    EXPECT_TRUE(is_password(hash, "secret")) << hash;
    EXPECT_FALSE(is_password(hash, "secret2")) << hash;
    EXPECT_FALSE(is_password(hash, "")) << hash;
  }
}

TEST(Passwords, AreNeverRightForABrokenHash) {
  for (const char* hash : {"", "$", "$6$", "$6$$", "$6$!!!!$!!!!", "$7$", "$7$0$c2FsdA==$aGFzaA==", "$7$-1$c2FsdA==$",
                           "$7$99999999999$c2FsdA==$aGFzaA==", "$7$101$c2FsdA==$aGFzaA==", "$argon2id$", "secret"}) {
    EXPECT_FALSE(is_password(hash, "secret")) << hash;
  }
}

TEST(Users, KnowARightPasswordAgainUntilItsHashChanges) {
  Users users;
  users.set({{"anna", config::Secret(sha512, "test")}});
  EXPECT_TRUE(users.check("anna", "secret"));
  EXPECT_TRUE(users.check("anna", "secret"));
  EXPECT_FALSE(users.check("anna", "other"));
  EXPECT_FALSE(users.check("bert", "secret"));
  users.set({{"anna", config::Secret(*hash_password("other"), "test")}});
  EXPECT_FALSE(users.check("anna", "secret"));
  EXPECT_TRUE(users.check("anna", "other"));
  users.set({});
  EXPECT_FALSE(users.check("anna", "other"));
}

TEST(Passwords, TakeAnEffortThatTheirFormAndParametersSay) {
  EXPECT_EQ(effort_of(sha512), "$6");
  EXPECT_EQ(effort_of(pbkdf2), "$7$101");
  EXPECT_EQ(effort_of("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"), "$argon2id$v=19$m=19456,t=2,p=1");
  EXPECT_EQ(effort_of("SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy"), "SCRAM-SHA-256$4096");
}

// Seen: beside one user with a hash of Mosquitto's, an unknown name was refused in microseconds, a known one in 50 ms.
TEST(Users, AreNotToldFromStrangersByTimeWhateverTheFormsOfTheirHashes) {
  Users users;
  users.set({{"anna", config::Secret(sha512, "test")}, {"bert", config::Secret(*hash_password("secret"), "test")}});
  auto quickest = [&](const char* name) {
    Millis best = Seconds{60};
    for (int i = 0; i < 5; ++i) {
      Instant begin = read_clock().mono;
      EXPECT_FALSE(users.check(name, "wrong"));
      best = std::min(best, read_clock().mono - begin);
    }
    return static_cast<double>(best.count());
  };
  double stranger = quickest("carl");
  for (const char* name : {"anna", "bert"}) {
    double ratio = quickest(name) / stranger;
    EXPECT_TRUE(ratio > 0.5 && ratio < 2) << name << " " << ratio;
  }
}

}  // namespace
}  // namespace tidegate
