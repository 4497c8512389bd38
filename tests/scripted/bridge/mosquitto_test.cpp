// Two bridges and a real broker between them: one sends up, the other receives into its inbox.
#include "tests/scripted/bridge/mosquitto.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/scripted/bridge/rig.h"

namespace tidegate::bridge {
namespace {

#define NEEDS_MOSQUITTO() \
  if (!Mosquitto::installed()) GTEST_SKIP() << "/usr/sbin/mosquitto is not installed"

Options receiver(uint16_t port) {
  Options o = Rig::options(port);
  o.client_id = "tg-receiver";
  o.rules = {{.topic = "up/#", .direction = Direction::in}};
  return o;
}

// At least once: a repetition is no message more.
size_t different(const Rig& rig) {
  std::set<std::string> payloads;
  for (const auto& one : rig.inbound_messages()) payloads.insert(one.message->payload);
  return payloads.size();
}

bool received(const Rig& rig, size_t count) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (std::chrono::steady_clock::now() < end) {
    if (rig.inbound_count() >= count && different(rig) >= count) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

// For each topic the numbers of its messages without the repetitions, which must rise.
void expect_all_in_order(const std::vector<Rig::Inbound>& got, size_t count) {
  std::set<uint64_t> seen;
  std::map<std::string, uint64_t> last;
  for (const auto& one : got) {
    const uint64_t number = std::stoull(one.message->payload);
    if (!seen.insert(number).second) continue;
    EXPECT_LT(last[one.message->topic], number);
    last[one.message->topic] = number;
  }
  EXPECT_EQ(seen.size(), count);
}

TEST(BridgeAgainstMosquitto, TenThousandMessagesArriveInOrderThroughARestartOfTheRemote) {
  NEEDS_MOSQUITTO();
  Mosquitto remote;
  Rig up(1), down(2);
  down.start(receiver(remote.port()));
  ASSERT_TRUE(down.wait_for(LinkState::connected));
  up.start(Rig::options(remote.port()));
  up.append(3000);
  ASSERT_TRUE(up.wait([](const BridgeStatus& s) { return s.delivered > 1000; }));
  remote.kill(SIGTERM);
  up.append(4000);
  ASSERT_TRUE(up.wait([](const BridgeStatus& s) { return s.state != LinkState::connected; }));
  remote.start();
  up.append(3000);
  ASSERT_TRUE(up.drained());
  ASSERT_TRUE(received(down, 10'000));
  expect_all_in_order(down.inbound_messages(), 10'000);
  EXPECT_EQ(up.bridge().status().delivered, 10'000u);
}

TEST(BridgeAgainstMosquitto, WhatItReceivedIsInTheInboxInOrder) {
  NEEDS_MOSQUITTO();
  Mosquitto remote;
  Rig up(1), down(2);
  down.start(receiver(remote.port()));
  ASSERT_TRUE(down.wait_for(LinkState::connected));
  down.stop();
  up.append(50);
  up.start(Rig::options(remote.port()));
  ASSERT_TRUE(up.drained());
  down.start(receiver(remote.port()));  // the remote kept them for the session
  ASSERT_TRUE(received(down, 50));
  std::vector<store::QueueRecord> records;
  ASSERT_TRUE(down.store().read_queue(QueueId{21}, Seq{1}, Seq{100}, {.messages_max = 100}, records));
  ASSERT_EQ(records.size(), 50u);
  for (size_t i = 0; i < 50; ++i) EXPECT_EQ(records[i].message->payload, std::to_string(i + 1));
}

TEST(BridgeAgainstMosquitto, ABothRuleDoesNotLoop) {
  NEEDS_MOSQUITTO();
  for (ProtocolVersion version : {ProtocolVersion::v5, ProtocolVersion::v311}) {
    Mosquitto remote;
    Rig both(1);
    Options o = Rig::options(remote.port());
    o.protocol_version = version;
    o.rules = {{.topic = "#", .direction = Direction::both}};
    both.start(o);
    ASSERT_TRUE(both.wait_for(LinkState::connected));
    both.append(200);
    ASSERT_TRUE(both.drained());
    if (version == ProtocolVersion::v311) {
      EXPECT_TRUE(both.wait([](const BridgeStatus& s) { return s.dropped.echoes == 200; }));
    }
    EXPECT_EQ(both.inbound_count(), 0u);
  }
}

TEST(BridgeAgainstMosquitto, WrongCredentialsAreQuoted) {
  NEEDS_MOSQUITTO();
  Mosquitto remote("password_file /dev/null\nallow_anonymous false\n");
  Rig rig;
  Options o = Rig::options(remote.port());
  o.username = "nobody";
  o.password = "wrong";
  rig.start(o);
  ASSERT_TRUE(rig.wait_for(LinkState::refused));
  EXPECT_NE(rig.bridge().status().last_error.text.find("Not authorized (CONNACK 135)"), std::string::npos)
      << rig.bridge().status().last_error.text;
}

// --- TLS -------------------------------------------------------------------------------------------------

// A CA and a certificate of it for `name`.
struct Tls {
  std::string folder;
  explicit Tls(const char* name) {
    char temp[] = "/tmp/tg-tls-XXXXXX";
    folder = mkdtemp(temp);
    const std::string make = "cd " + folder +
                             " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout "
                             "ca.key -out ca.crt -subj /CN=test-ca 2>/dev/null"
                             " && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout s.key -out "
                             "s.csr -subj /CN=server 2>/dev/null"
                             " && printf 'subjectAltName=" +
                             std::string(name) +
                             "' > ext && openssl x509 -req -in s.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 "
                             "-out s.crt -extfile ext 2>/dev/null && chmod 644 *";
    ok = std::system(make.c_str()) == 0;
  }
  ~Tls() { std::filesystem::remove_all(folder); }
  [[nodiscard]] std::string conf() const { return "certfile " + folder + "/s.crt\nkeyfile " + folder + "/s.key\n"; }
  bool ok = false;
};

// A mosquitto with a certificate for `name` of our CA, and a bridge to it.
struct TlsRig : Rig {
  Tls tls;
  Mosquitto remote;
  Options o;

  explicit TlsRig(const char* name) : tls(name), remote(tls.conf()), o(Rig::options(remote.port())) {
    EXPECT_TRUE(tls.ok);
    o.tls.enabled = true;
    o.tls.ca_file = tls.folder + "/ca.crt";
  }
  ~TlsRig() override { stop(); }
  void expect_connected() {
    start(o);
    ASSERT_TRUE(wait_for(LinkState::connected)) << bridge().status().last_error.text;
  }
  void expect_refused_by_us(const char* why) {
    start(o);
    ASSERT_TRUE(wait([](const BridgeStatus& s) { return s.last_error.step != Step::none; }));
    const BridgeStatus status = bridge().status();
    EXPECT_EQ(status.last_error.step, Step::tls);
    EXPECT_NE(status.last_error.text.find(why), std::string::npos) << status.last_error.text;
    EXPECT_EQ(status.connects, 0u);
  }
};

TEST(BridgeAgainstMosquitto, TlsWithOurCaConnects) {
  NEEDS_MOSQUITTO();
  TlsRig rig("IP:127.0.0.1,DNS:localhost");
  rig.expect_connected();
  rig.append(10);
  EXPECT_TRUE(rig.drained());
}

TEST(BridgeAgainstMosquitto, TlsWithAnUnknownCaIsRefusedByUsAndSaidSo) {
  NEEDS_MOSQUITTO();
  TlsRig rig("IP:127.0.0.1");
  rig.o.tls.ca_file.clear();  // the system's roots
  rig.expect_refused_by_us("certificate verify failed: ");
}

TEST(BridgeAgainstMosquitto, TlsForAnotherHostIsRefusedByUsUnlessToldOtherwise) {
  NEEDS_MOSQUITTO();
  TlsRig rig("DNS:other.example");
  rig.expect_refused_by_us("not for host");
  rig.stop();
  rig.o.tls.verify_host = false;
  rig.expect_connected();
}

}  // namespace
}  // namespace tidegate::bridge
