// A listener's TLS: what its keys say together, and what is found in its files.
#include "tests/unit/config/load_fixture.h"

namespace tidegate::config {
namespace {

class ValidateTls : public LoadTest {
 protected:
  static std::string listener(const std::string& tls, const std::string& more = R"(, "allow_anonymous": true)") {
    return R"({"listeners": [{"name": "a", "bind": "::1",)"
           "\n"
           R"("tls": {)" +
           tls + "}" + more + "}]}";
  }
  std::string of(const std::string& tls) { return problems(listener(tls)); }
  static constexpr const char* files = R"("cert_file": "c.crt", "key_file": "c.key")";
};

TEST_F(ValidateTls, PathsAreRelativeToTheFile) {
  ListenerTls tls = *loaded(listener(files)).listeners.at(0).tls;
  EXPECT_EQ(tls.cert_file, "/etc/tidegate/c.crt");
  EXPECT_EQ(tls.key_file, "/etc/tidegate/c.key");
  EXPECT_EQ(tls.min_version, TlsVersion::v1_2);
}

TEST_F(ValidateTls, NeedsACertificateOrPreSharedKeys) {
  EXPECT_EQ(of(""),
            "t.json:2:8: error: /listeners/0/tls: TLS needs cert_file and key_file, or a psk_file; scripts/certs makes "
            "certificates for a trial\n");
  EXPECT_NE(of(R"("cert_file": "c.crt")").find("cert_file and key_file go together"), std::string::npos);
  EXPECT_EQ(of(files), "");
  EXPECT_EQ(of(R"("psk_file": "psk")"), "");
}

TEST_F(ValidateTls, RefusesWhatCouldLetNobodyIn) {
  auto with = [&](const std::string& more) { return of(std::string(files) + ",\n" + more); };
  EXPECT_EQ(with(R"("require_certificate": true)"),
            "t.json:3:24: error: /listeners/0/tls/require_certificate: needs ca_file or ca_path: without a CA no "
            "certificate of a client is believed, and nobody could connect\n");
  EXPECT_EQ(with(R"("require_certificate": true, "ca_path": "p")"), "");
  EXPECT_NE(with(R"("use_identity_as_username": true)").find("nobody could prove a name"), std::string::npos);
  EXPECT_NE(with(R"("use_subject_as_username": true, "psk_file": "p")").find("nobody could prove a name"),
            std::string::npos);
}

TEST_F(ValidateTls, RefusesWhatHasNoEffect) {
  auto with = [&](const std::string& more) { return of(std::string(files) + "," + more); };
  EXPECT_NE(with(R"("crl_file": "l")").find("/tls/crl_file: has no effect without ca_file"), std::string::npos);
  EXPECT_NE(with(R"("psk_hint": "h")").find("/tls/psk_hint: has no effect without psk_file"), std::string::npos);
  EXPECT_NE(
      with(R"("ca_file": "f", "use_identity_as_username": true, "use_subject_as_username": true)").find("not both"),
      std::string::npos);
}

TEST_F(ValidateTls, FindingsInTheFilesComeWithThePlaceOfTheirKey) {
  find_in_tls({{"key_file", false, "is another's"}, {"cert_file", true, "has expired"}});
  EXPECT_EQ(of(files),
            "t.json:2:22: warning: /listeners/0/tls/cert_file: has expired\n"
            "t.json:2:43: error: /listeners/0/tls/key_file: is another's\n");
}

TEST_F(ValidateTls, ACertificateIsALogin) {
  std::string named = std::string(files) + R"(, "ca_file": "f", "use_identity_as_username": true)";
  EXPECT_EQ(problems(listener(named, "")), "");
  EXPECT_NE(problems(listener(files, "")).find("lets nobody in"), std::string::npos);
}

TEST_F(ValidateTls, WarnsOfTheTlsPortWithoutTls) {
  std::string port = R"(, "allow_anonymous": true, "port": 8883)";
  EXPECT_EQ(problems(listener(files, port)), "");
  EXPECT_NE(problems(R"({"listeners": [{"name": "a", "bind": "::1")" + port + "}]}").find("this listener has no TLS"),
            std::string::npos);
}

TEST_F(ValidateTls, AnswersMosquittosSpellings) {
  EXPECT_NE(of(R"("cafile": "x")").find(R"(write "ca_file": "x")"), std::string::npos);
  EXPECT_NE(of(R"("tls_version": "tlsv1.2")").find(R"(write "min_version": "1.2")"), std::string::npos);
  EXPECT_NE(problems(R"({"listeners": [{"name": "a", "bind": "::1", "certfile": "x"}]})").find("listeners[].tls"),
            std::string::npos);
}

}  // namespace
}  // namespace tidegate::config
