// Enhanced authentication: CONNECT with a method, AUTH, authentication again (MQTT 5.0, 3.15, 4.12).
#include <gtest/gtest.h>

#include "gateway/mqtt/decode.h"
#include "gateway/mqtt/encode.h"
#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

using mqtt::PropertyId;
using mqtt::ReasonCode;

// Asks "who?" and takes "it is NAME" for an answer, from everybody but mallory.
class Asking final : public broker::AuthExchange {
 public:
  Step next(std::string_view data) override {
    if (data == "hello") return {Step::Kind::go_on, "who?", ""};
    constexpr std::string_view prefix = "it is ";
    if (!data.starts_with(prefix) || data.ends_with("mallory")) return {Step::Kind::refused, "", ""};
    return {Step::Kind::done, "welcome", std::string(data.substr(prefix.size()))};
  }
};

class OneMethod final : public broker::Authenticator {
 public:
  [[nodiscard]] bool knows(std::string_view method) const override { return method == "ASK"; }
  std::unique_ptr<broker::AuthExchange> begin(std::string_view method) override {
    return knows(method) ? std::make_unique<Asking>() : nullptr;
  }
};

std::string method(std::string_view name) {
  return prop(PropertyId::authentication_method, name);
}
std::string data(std::string_view text) {
  return prop(PropertyId::authentication_data, text);
}

struct AuthenticationTest : testing::Test {
  AuthenticationTest() {
    h.broker().set_authenticator(&authenticator);
    h.listener.allow_anonymous = false;
    h.listener.check_credentials = true;
  }
  Client& begin(std::string id, const std::string& properties, const ConnectOptions& more = {}) {
    Client& client = h.newcomer(std::move(id));
    ConnectOptions options = more;
    options.version = v5;
    options.properties += properties;
    client.connect(options);
    return client;
  }
  static void auth(Client& client, ReasonCode reason, const std::string& properties) {
    std::string bytes;
    mqtt::encode(mqtt::Auth{reason, mqtt::Properties::of_valid_wire(properties)}, bytes);
    client.send(bytes);
  }
  static void go_on(Client& client, std::string_view text) {
    auth(client, ReasonCode::continue_authentication, method("ASK") + data(text));
  }
  // AUTH and CONNACK with all they say; the rest as ever.
  static std::string told(Client& client) {
    std::string all;
    for (const std::string& bytes : client.packets()) {
      auto packet = mqtt::decode(mqtt::frame(bytes, bytes.size()), v5);
      EXPECT_TRUE(packet);
      mqtt::Properties properties;
      std::string text = describe(*packet);
      if (auto* a = std::get_if<mqtt::Auth>(&*packet)) {
        text = "auth " + std::to_string(static_cast<int>(a->reason));
        properties = a->properties;
        // [MQTT-3.15.2-2, 3.15.2-3]: none of both, so they cannot make it too large.
        EXPECT_FALSE(properties.text(PropertyId::reason_string) || properties.text(PropertyId::user_property));
      }
      if (auto* c = std::get_if<mqtt::Connack>(&*packet)) properties = c->properties;
      if (auto name = properties.text(PropertyId::authentication_method)) text += " " + std::string(*name);
      if (auto said = properties.text(PropertyId::authentication_data)) text += ":" + std::string(*said);
      all.append(all.empty() ? "" : ", ").append(text);
    }
    return all + (client.is_open() ? "" : all.empty() ? "closed" : ", closed");
  }
  OneMethod authenticator;
  BrokerHarness h;
};

TEST_F(AuthenticationTest, TheUserOfTheExchangeIsTheClientIdWhereTheListenerSaysSo) {
  h.listener.use_username_as_client_id = true;
  Client& c = begin("", method("ASK") + data("it is anna"));
  EXPECT_EQ(c.got(), "connack 0");
  EXPECT_EQ(c.connack().text(PropertyId::assigned_client_identifier), "anna");
}

TEST_F(AuthenticationTest, GoesByStepsToConnack) {  // [MQTT-4.12.0-2, 4.12.0-5]
  Client& c = begin("c", method("ASK") + data("hello"));
  EXPECT_EQ(told(c), "auth 24 ASK:who?");
  EXPECT_EQ(h.broker().sessions(), 0u);
  EXPECT_EQ(h.broker().pending_connects(), 1u);
  go_on(c, "it is anna");
  EXPECT_EQ(told(c), "connack 0 ASK:welcome");
  EXPECT_EQ(h.broker().pending_connects(), 0u);
  EXPECT_TRUE(h.out().checks.empty());
}

TEST_F(AuthenticationTest, TheUserIsWhomTheMethodProved) {
  auto acl = access::Acl::make({{.who = access::AclRule::Who::user, .user = "anna", .topic = "a/#"}});
  h.turn([&] { h.broker().set_acl(acl); });
  Client& c = begin("c", method("ASK") + data("it is anna"), {.username = "bert", .password = "x"});
  EXPECT_EQ(told(c), "connack 0 ASK:welcome");
  c.publish("a/b", "x", {.qos = 1});
  c.publish("b", "x", {.qos = 1});
  EXPECT_EQ(c.got(), "puback #1 0x10, puback #1 0x87");
}

TEST_F(AuthenticationTest, AnUnknownMethodIsRefused) {  // [MQTT-4.12.0-1]
  EXPECT_EQ(told(begin("c", method("OTHER") + data("x"))), "connack 0x8c, closed");
  h.broker().set_authenticator(nullptr);
  EXPECT_EQ(told(begin("c", method("ASK") + data("x"))), "connack 0x8c, closed");
}

TEST_F(AuthenticationTest, WhoFailsIsRefusedAtAnyStep) {  // [MQTT-4.12.0-4]
  EXPECT_EQ(told(begin("c", method("ASK") + data("it is mallory"))), "connack 0x87, closed");
  Client& c = begin("c", method("ASK") + data("hello"));
  go_on(c, "it is mallory");
  EXPECT_EQ(told(c), "auth 24 ASK:who?, connack 0x87, closed");
  EXPECT_EQ(h.broker().sessions(), 0u);
  EXPECT_EQ(h.out().authentications_failed, 2) << "that address is slowed down";
}

TEST_F(AuthenticationTest, NothingButAuthAndDisconnectComesBeforeConnack) {  // [MQTT-3.1.2-30]
  Client& c = begin("c", method("ASK") + data("hello"));
  c.ping();
  EXPECT_EQ(told(c), "auth 24 ASK:who?, connack 0x82, closed");
  Client& d = begin("d", method("ASK") + data("hello"));
  d.disconnect();
  EXPECT_EQ(told(d), "auth 24 ASK:who?, closed");
  Client& again = begin("e", method("ASK") + data("hello"));
  auth(again, ReasonCode::reauthenticate, method("ASK") + data("hello"));
  EXPECT_EQ(told(again), "auth 24 ASK:who?, connack 0x82, closed");
  Client& other = begin("f", method("ASK") + data("hello"));
  auth(other, ReasonCode::continue_authentication, method("OTHER") + data("it is anna"));
  EXPECT_EQ(told(other), "auth 24 ASK:who?, connack 0x82, closed");
  EXPECT_EQ(h.broker().pending_connects(), 0u);
}

TEST_F(AuthenticationTest, WhoDoesNotAnswerIsClosedInTime) {
  Client& c = begin("c", method("ASK") + data("hello"));
  h.advance(Seconds{10});
  EXPECT_FALSE(c.is_open());
  EXPECT_EQ(h.broker().pending_connects(), 0u);
}

TEST_F(AuthenticationTest, TheStoreIsAskedAfterTheClient) {
  Client& c = begin("c", session_expiry(60) + method("ASK") + data("hello"), {.clean = false});
  h.turn([&] { h.broker().set_store_state({broker::StoreState::busy, broker::StoreState::busy}); });
  go_on(c, "it is anna");
  EXPECT_EQ(told(c), "auth 24 ASK:who?");
  h.turn([&] { h.broker().set_store_state({}); });
  EXPECT_EQ(told(c), "connack 0 ASK:welcome");
}

TEST_F(AuthenticationTest, AClientMayProveItselfAgainWhileItWorks) {  // 4.12.1
  Client& c = begin("c", method("ASK") + data("it is anna"));
  (void)c.packets();
  auth(c, ReasonCode::reauthenticate, method("ASK") + data("hello"));
  c.subscribe("t", 0);  // goes on meanwhile
  go_on(c, "it is anna");
  c.ping();
  EXPECT_EQ(told(c), "auth 24 ASK:who?, suback #1 00, auth 0 ASK:welcome, pingresp");
  auth(c, ReasonCode::reauthenticate, method("ASK") + data("it is anna"));  // and once more
  EXPECT_EQ(told(c), "auth 0 ASK:welcome");
}

TEST_F(AuthenticationTest, WhoFailsAgainOrIsSomebodyElseIsClosed) {  // [MQTT-4.12.1-2]
  for (const char* answer : {"it is mallory", "it is bert"}) {
    Client& c = begin("c", method("ASK") + data("it is anna"));
    (void)c.packets();
    auth(c, ReasonCode::reauthenticate, method("ASK") + data(answer));
    EXPECT_EQ(told(c), "disconnect 0x87, closed");
  }
}

TEST_F(AuthenticationTest, AuthThatNothingAskedForIsAProtocolError) {
  Client& c = begin("c", method("ASK") + data("it is anna"));
  (void)c.packets();
  go_on(c, "it is anna");
  EXPECT_EQ(told(c), "disconnect 0x82, closed");
  Client& other = begin("d", method("ASK") + data("it is anna"));
  (void)other.packets();
  auth(other, ReasonCode::reauthenticate, method("OTHER") + data("it is anna"));
  EXPECT_EQ(told(other), "disconnect 0x82, closed");
}

TEST_F(AuthenticationTest, WithoutAMethodThereIsNoAuth) {  // [MQTT-4.12.0-6, 4.12.0-7]
  h.listener.allow_anonymous = true;
  Client& c = begin("c", "");
  EXPECT_EQ(told(c), "connack 0");
  auth(c, ReasonCode::reauthenticate, method("ASK") + data("hello"));
  EXPECT_EQ(told(c), "disconnect 0x82, closed");
}

TEST_F(AuthenticationTest, AStepThatDoesNotFitTheClientEndsIt) {  // [MQTT-3.1.2-24]
  Client& c = begin("c", prop(PropertyId::maximum_packet_size, 16u) + method("ASK") + data("hello"));
  EXPECT_EQ(told(c), "connack 0x87, closed");
}

}  // namespace
}  // namespace tidegate::test
