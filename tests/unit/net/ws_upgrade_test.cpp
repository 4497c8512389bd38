// The request that opens a WebSocket (RFC 6455, 4.2), and what is answered.
#include "gateway/net/ws_upgrade.h"

#include <gtest/gtest.h>

#include <map>

namespace tidegate::net {
namespace {

struct Upgrade : testing::Test {
  std::string line = "GET /mqtt HTTP/1.1";
  std::map<std::string, std::string> fields = {{"Host", "gw"},
                                               {"Upgrade", "websocket"},
                                               {"Connection", "keep-alive, Upgrade"},
                                               {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                               {"Sec-WebSocket-Version", "13"},
                                               {"Sec-WebSocket-Protocol", "mqtt"}};
  WsOptions options{.http_paths = {"/", "/mqtt"}, .origins = {}};

  WsAnswer answer() const {
    std::string head = line + "\r\n";
    for (const auto& [name, value] : fields) head += name + ": " + value + "\r\n";
    return answer_upgrade(head + "\r\n", options);
  }
  std::string status() const { return answer().response.substr(9, 3); }
};

TEST_F(Upgrade, IsAccepted) {
  WsAnswer got = answer();
  EXPECT_TRUE(got.accepted);
  EXPECT_EQ(got.response,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n");
}

TEST_F(Upgrade, TheClientsFirstSubprotocolOfMqttIsAnswered) {  // [MQTT-6.0.0-4]
  fields["Sec-WebSocket-Protocol"] = "chat, mqttv3.1, mqtt";
  EXPECT_NE(answer().response.find("Sec-WebSocket-Protocol: mqttv3.1\r\n"), std::string::npos);
  fields["Sec-WebSocket-Protocol"] = "chat";
  EXPECT_EQ(status(), "400");
  fields.erase("Sec-WebSocket-Protocol");
  EXPECT_EQ(status(), "400");
  EXPECT_EQ(answer().why, "WebSocket: the request does not ask for the subprotocol mqtt");
}

TEST_F(Upgrade, ABrowserThatLooksInGetsASentence) {
  fields.erase("Upgrade");
  EXPECT_EQ(status(), "426");
  EXPECT_NE(answer().response.find("This is an MQTT listener for WebSocket"), std::string::npos);
  EXPECT_NE(answer().response.find("Upgrade: websocket"), std::string::npos);
}

TEST_F(Upgrade, OnlyItsPathsAreServed) {
  line = "GET /?client=7 HTTP/1.1";
  EXPECT_EQ(status(), "101");
  line = "GET /other HTTP/1.1";
  EXPECT_EQ(status(), "404");
  options.http_paths = {"*"};
  EXPECT_EQ(status(), "101");
}

TEST_F(Upgrade, PagesOfOtherOriginsAreRefused) {
  fields["Origin"] = "https://evil.example";
  EXPECT_EQ(status(), "101") << "none given: any";
  options.origins = {"https://plant7.example"};
  EXPECT_EQ(status(), "403");
  fields["Origin"] = "https://plant7.example";
  EXPECT_EQ(status(), "101");
  fields.erase("Origin");
  EXPECT_EQ(status(), "101") << "no browser";
}

TEST_F(Upgrade, BrokenRequestsGetTheCodeForIt) {
  fields["Sec-WebSocket-Version"] = "8";
  EXPECT_EQ(status(), "426");
  EXPECT_NE(answer().response.find("Sec-WebSocket-Version: 13"), std::string::npos);
  fields["Sec-WebSocket-Version"] = "13";
  for (const char* key : {"", "short", "dGhlIHNhbXBsZSBub25jZQ=x", "dGhlIHNhbXBsZSBub25j!Q=="}) {
    fields["Sec-WebSocket-Key"] = key;
    EXPECT_EQ(status(), "400") << key;
  }
  line = "nonsense";
  EXPECT_EQ(status(), "400");
  EXPECT_EQ(answer_upgrade(std::string("\x10\x0c\0\x04MQTT", 8), options).response.substr(9, 3), "400");
  EXPECT_EQ(answer_too_large().response.substr(9, 3), "431");
}

TEST_F(Upgrade, ARequestNamesItsHostOnce) {  // RFC 9112, 3.2
  fields["host"] = "other";
  EXPECT_EQ(status(), "400");
  fields.erase("host");
  fields.erase("Host");
  EXPECT_EQ(status(), "400");
  EXPECT_EQ(answer().why, "WebSocket: the request has no Host, or several");
}

TEST_F(Upgrade, OtherMethodsAreNone) {
  line = "POST /mqtt HTTP/1.1";
  EXPECT_EQ(status(), "426");
  line = "GET /mqtt HTTP/1.0";
  EXPECT_EQ(status(), "426");
}

}  // namespace
}  // namespace tidegate::net
