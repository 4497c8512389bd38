// The PROXY protocol's headers, as HAProxy's specification describes them.
#include "gateway/net/proxy_header.h"

#include <gtest/gtest.h>

namespace tidegate::net {
namespace {

using State = ProxyHeader::State;
using namespace std::string_literals;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string v4_addresses = "\xC0\xA8\x01\x07\x0A\0\0\x01\xC0\0\x07\x5B"s;  // 192.168.1.7:49152 to 10.0.0.1:1883

std::string binary(char command, char family, const std::string& rest) {
  return signature + command + family + static_cast<char>(rest.size() >> 8) + static_cast<char>(rest.size()) + rest;
}

// The client of a whole header with MQTT behind it, or the state.
std::string client_of(const std::string& header) {
  ProxyHeader parsed = parse_proxy_header(header + "\x10MQTT");
  if (parsed.state != State::complete) return parsed.state == State::malformed ? "malformed" : "incomplete";
  EXPECT_EQ(parsed.size, header.size());
  for (size_t n = 0; n < header.size(); ++n) {
    EXPECT_EQ(parse_proxy_header(header.substr(0, n)).state, State::incomplete) << n;
  }
  return parsed.client;
}

TEST(ProxyHeader, VersionOneTellsTheClient) {
  EXPECT_EQ(client_of("PROXY TCP4 192.168.1.7 10.0.0.1 49152 1883\r\n"), "192.168.1.7:49152");
  EXPECT_EQ(client_of("PROXY TCP6 2001:db8::7 ::1 65535 0\r\n"), "[2001:db8::7]:65535");
  EXPECT_EQ(client_of("PROXY UNKNOWN\r\n"), "");
  EXPECT_EQ(client_of("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), "");
}

TEST(ProxyHeader, VersionTwoTellsTheClient) {
  EXPECT_EQ(client_of(binary('\x21', '\x11', v4_addresses)), "192.168.1.7:49152");
  EXPECT_EQ(client_of(binary('\x21', '\x11', v4_addresses + "\x04\0\x02xx"s)), "192.168.1.7:49152") << "with additions";
  std::string v6 = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x07" + std::string(16, '\0') + "\x00\x50\x07\x5B"s;
  EXPECT_EQ(client_of(binary('\x21', '\x21', v6)), "[2001:db8::7]:80");
  EXPECT_EQ(client_of(binary('\x20', '\x00', "")), "") << "the proxy's own check";
  EXPECT_EQ(client_of(binary('\x21', '\x00', "")), "");
  EXPECT_EQ(client_of(binary('\x21', '\x31', std::string(216, 'x'))), "") << "a Unix socket";
}

TEST(ProxyHeader, RefusesEverythingElse) {
  for (const char* line :
       {"PROXY TCP4 192.168.1.7 10.0.0.1 49152\r\n", "PROXY TCP4 192.168.1.7 10.0.0.1 49152 1883 1\r\n",
        "PROXY TCP4 192.168.1.777 10.0.0.1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4  1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY\r\n", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "\x10\x0cMQTT"}) {
    EXPECT_EQ(client_of(line), "malformed") << line;
  }
  EXPECT_EQ(parse_proxy_header("PROXY " + std::string(101, 'x')).state, State::malformed) << "a line without an end";
  EXPECT_EQ(client_of(binary('\x11', '\x11', v4_addresses)), "malformed") << "version";
  EXPECT_EQ(client_of(binary('\x22', '\x11', v4_addresses)), "malformed") << "command";
  EXPECT_EQ(client_of(binary('\x21', '\x11', "short")), "malformed");
  EXPECT_EQ(client_of(binary('\x21', '\x41', v4_addresses)), "malformed") << "family";
  EXPECT_EQ(parse_proxy_header(signature + "\x21\x11\xff\xff").state, State::malformed) << "too long";
}

}  // namespace
}  // namespace tidegate::net
