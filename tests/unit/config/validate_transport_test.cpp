// What a listener's transport needs, and what it has no use for.
#include "tests/unit/config/load_fixture.h"

namespace tidegate::config {
namespace {

class ValidateTransport : public LoadTest {
 protected:
  std::string of(const std::string& keys) {
    return problems(R"({"listeners": [{"name": "a", "allow_anonymous": true, )" + keys + "}]}");
  }
  void expect_says(const std::string& keys, const std::string& part) {
    std::string all = of(keys);
    EXPECT_NE(all.find(part), std::string::npos) << keys << "\nsays\n" << all;
  }
};

TEST_F(ValidateTransport, UnixHasAPathInPlaceOfBindAndPort) {
  EXPECT_EQ(of(R"("transport": "unix", "path": "x.sock", "mode": "0600", "owner": "plant:plant")"), "");
  expect_says(R"("transport": "unix")", "/listeners/0: the key \"path\" is missing");
  expect_says(R"("transport": "unix", "path": "x", "bind": "::1")", "/listeners/0/bind: has no effect");
  expect_says(R"("transport": "unix", "path": "x", "port": 1)", "/listeners/0/port: has no effect");
  expect_says(R"("transport": "unix", "path": ")" + std::string(110, 'x') + "\"", "107 bytes at most");
  for (const char* mode : {"\"0888\"", "\"60\"", "\"7777\"", "660"}) {
    expect_says(std::string(R"("transport": "unix", "path": "x", "mode": )") + mode,
                "/listeners/0/mode: expected permissions");
  }
}

TEST_F(ValidateTransport, AddressesAreForListenersThatHaveThem) {
  EXPECT_EQ(of(R"("bind": "::1", "allow_addresses": ["10.1.0.0/16", "::1"], "deny_addresses": ["10.1.2.3"])"), "");
  expect_says(R"("bind": "::1", "allow_addresses": ["10.1.0.0/33"])", "/listeners/0/allow_addresses/0: expected");
  expect_says(R"("transport": "unix", "path": "x", "deny_addresses": ["::1"])",
              "/listeners/0/deny_addresses: has no effect");
  EXPECT_EQ(of(R"("transport": "unix", "path": "x", "proxy_protocol": true, "deny_addresses": ["::1"])"), "");
}

TEST_F(ValidateTransport, TheOthersNeedAnAddress) {
  EXPECT_NE(of(R"("port": 1)").find("/listeners/0: the key \"bind\" is missing"), std::string::npos);
  expect_says(R"("bind": "::1", "path": "x")", "/listeners/0/path: is for \"transport\": \"unix\"");
  expect_says(R"("bind": "::1", "mode": "0660")", "/listeners/0/mode: is for");
}

TEST_F(ValidateTransport, PathsAndOriginsAreForWebSocket) {
  EXPECT_EQ(of(R"("bind": "::1", "transport": "websocket", "http_paths": ["*"], "origins": ["https://a"])"), "");
  expect_says(R"("bind": "::1", "http_paths": ["/"])", "/listeners/0/http_paths: is for \"transport\": \"websocket\"");
  expect_says(R"("bind": "::1", "origins": [])", "/listeners/0/origins: is for");
  expect_says(R"("bind": "::1", "transport": "websocket", "http_paths": ["mqtt"])", "expected a path such as");
}

TEST_F(ValidateTransport, AProxyIsTrustedByItsAddress) {
  EXPECT_EQ(of(R"("bind": "::1", "proxy_protocol": true, "trusted_proxies": ["10.1.0.0/16", "::1"])"), "");
  EXPECT_EQ(of(R"("transport": "unix", "path": "x", "proxy_protocol": true)"), "");
  expect_says(R"("bind": "::1", "proxy_protocol": true)", "/listeners/0/proxy_protocol: needs trusted_proxies");
  expect_says(R"("bind": "::1", "trusted_proxies": ["::1"])", "/listeners/0/trusted_proxies: has no effect without");
  expect_says(R"("bind": "::1", "proxy_protocol": true, "trusted_proxies": ["10.1.0.0/99"])",
              "/listeners/0/trusted_proxies/0: expected an IP address or a range");
  expect_says(R"("transport": "unix", "path": "x", "proxy_protocol": true, "trusted_proxies": ["::1"])",
              "/listeners/0/trusted_proxies: has no effect");
}

TEST_F(ValidateTransport, TwoListenersDoNotShareASocket) {
  std::string one = R"({"name": "a", "transport": "unix", "path": "x", "allow_anonymous": true})";
  std::string two = R"({"name": "b", "transport": "unix", "path": "./x", "allow_anonymous": true})";
  EXPECT_NE(
      problems("{\"listeners\": [" + one + ",\n" + two + "]}").find("the socket belongs to the listener in line 1"),
      std::string::npos);
}

}  // namespace
}  // namespace tidegate::config
