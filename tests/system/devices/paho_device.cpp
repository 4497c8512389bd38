// A device on Paho C++. What it does in each role: README.md of the folder above, "Devices".
#include <mqtt/async_client.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace {

using mqtt::property;
using nlohmann::json;

struct Options {
  std::string role, url;
  int version = 4;
  int count = 100;
  int qos = 1;
};
Options options;

bool five() {
  return options.version == 5;
}
void say(const json& what) {
  std::cout << what.dump() << '\n' << std::flush;
}

// The client and what its connects point to: Paho copies neither.
class Device {
 public:
  explicit Device(const std::string& client_id, bool kept = false) : client_(options.url, client_id, create_options()) {
    connect_.set_mqtt_version(options.version);
    if (five()) {
      connect_.set_clean_start(!kept);
      if (kept) connect_.set_properties({{property::SESSION_EXPIRY_INTERVAL, 600}});
    } else {
      connect_.set_clean_session(!kept);
    }
    if (const char* ca = std::getenv("CA_FILE")) {
      tls_.set_trust_store(ca);
      tls_.set_enable_server_cert_auth(true);
      tls_.set_verify(true);
      connect_.set_ssl(tls_);
    }
    client_.start_consuming();
  }

  mqtt::connect_options& connect_options() { return connect_; }
  mqtt::async_client& client() { return client_; }

  // Whether the session was there.
  bool connect() { return client_.connect(connect_)->get_connect_response().is_session_present(); }

  int subscribe(const std::string& filter, int qos) {
    return static_cast<int>(client_.subscribe(filter, qos)->get_subscribe_response().get_reason_codes().at(0));
  }

  mqtt::const_message_ptr hear() { return client_.consume_message(); }
  void close() { client_.disconnect()->wait(); }

 private:
  static mqtt::create_options create_options() {
    mqtt::create_options made(options.version);
    made.set_send_while_disconnected(true);
    made.set_max_buffered_messages(10'000);
    return made;
  }

  mqtt::ssl_options tls_;
  mqtt::connect_options connect_;
  mqtt::async_client client_;
};

void echo() {
  Device device("dev-echo");
  device.connect();
  const int granted = device.subscribe("dev/echo/#", 2);
  for (int i = 0; i < options.count; ++i) {
    for (int qos : {0, 1, 2}) device.client().publish("dev/echo/" + std::to_string(qos), std::to_string(i), qos, false);
  }
  json heard = json::array();
  for (int i = 0; i < 3 * options.count; ++i) {
    const auto message = device.hear();
    heard.push_back(
        {message->get_topic(), std::stoi(message->to_string()), message->get_qos(), message->is_retained()});
  }
  std::string large;
  for (int i = 0; i < 50'000; ++i) large += std::to_string(i) + ' ';
  device.client().publish("dev/echo/large", large, 2, false);
  const bool whole = device.hear()->to_string() == large;
  device.client().publish("dev/kept", "kept", 1, true)->wait();
  device.subscribe("dev/kept", 1);
  const auto kept = device.hear();
  say({{"granted", granted},
       {"heard", heard},
       {"large", whole},
       {"retained", {kept->get_topic(), kept->to_string(), kept->is_retained()}}});
  device.close();
}

void publish() {
  Device device("dev-publisher", true);
  device.connect_options().set_automatic_reconnect(1, 1);
  device.connect();
  std::deque<std::pair<int, mqtt::delivery_token_ptr>> waiting;
  const auto send = [&](int number) {
    waiting.emplace_back(number, device.client().publish("dev/data", std::to_string(number), options.qos, false));
  };
  int acknowledged = 0;
  // Paho loses the token, and at times the message, whose write fails with the link: QoS 1 may be published again.
  const auto await_one = [&] {
    const auto [number, token] = waiting.front();
    waiting.pop_front();
    bool answered = false;
    try {
      answered = token->wait_for(std::chrono::seconds(5));
    } catch (const mqtt::exception& error) {
      if (error.get_return_code() != MQTTASYNC_FAILURE) throw;
    }
    if (!answered && options.qos == 1) return send(number);
    if (++acknowledged % 50 == 0) say({{"acknowledged", acknowledged}});
  };
  for (int i = 0; i < options.count; ++i) {
    send(i);
    if (waiting.size() == 20) await_one();
  }
  while (!waiting.empty()) await_one();
  device.close();
}

// Connects again by itself, so that it sees each time whether the session was there.
[[noreturn]] void stay() {
  Device device("dev-stay", true);
  mqtt::message will("dev/will", "gone", 1, false);
  if (five()) will.set_properties({{property::WILL_DELAY_INTERVAL, 1}});
  device.connect_options().set_will_message(will);
  for (;;) {
    try {
      const bool present = device.connect();
      say({{"connected", present}});
      if (!present) say({{"subscribed", device.subscribe("dev/stay/#", 2)}});
    } catch (const mqtt::exception&) {
      device.client().try_consume_message_for(std::chrono::milliseconds(100));
      continue;
    }
    while (const auto message = device.hear()) {
      say({{"heard", {message->get_topic(), message->to_string(), message->get_qos()}}});
    }
  }
}

std::string hex(const std::string& bytes) {
  std::string out;
  for (const unsigned char byte : bytes) {
    for (const int digit : {byte >> 4, byte & 15}) out += "0123456789abcdef"[digit];
  }
  return out;
}

json seen(const mqtt::const_message_ptr& message) {
  const mqtt::properties& got = message->get_properties();
  const auto [name, value] = mqtt::get<mqtt::string_pair>(got, property::USER_PROPERTY);
  return {{"payload", message->to_string()},
          {"correlation", hex(mqtt::get<std::string>(got, property::CORRELATION_DATA))},
          {"user", json::array({json::array({name, value})})},
          {"content_type", mqtt::get<std::string>(got, property::CONTENT_TYPE)},
          {"utf8", mqtt::get<uint8_t>(got, property::PAYLOAD_FORMAT_INDICATOR) == 1},
          {"expires", got.contains(property::MESSAGE_EXPIRY_INTERVAL)}};
}

void ask() {
  Device service("dev-service"), asker("dev-asker");
  service.connect();
  asker.connect();
  service.subscribe("dev/service", 1);
  asker.subscribe("dev/answers", 1);
  mqtt::properties wanted{{property::CORRELATION_DATA, mqtt::string_ref(std::string("\x00\x01\xfe\xff", 4))},
                          {property::USER_PROPERTY, "unit", "°C"},
                          {property::CONTENT_TYPE, "text/plain"},
                          {property::PAYLOAD_FORMAT_INDICATOR, 1},
                          {property::MESSAGE_EXPIRY_INTERVAL, 60}};
  mqtt::properties request = wanted;
  request.add({property::RESPONSE_TOPIC, "dev/answers"});
  asker.client().publish(mqtt::message::create("dev/service", "how warm?", 1, false, request));
  const auto asked = service.hear();
  const auto to = mqtt::get<std::string>(asked->get_properties(), property::RESPONSE_TOPIC);
  service.client().publish(mqtt::message::create(to, "HOW WARM?", 1, false, wanted));
  say({{"asked", seen(asked)}, {"answered", seen(asker.hear())}});
  service.close();
  asker.close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  options = {argv[1], argv[2], std::atoi(argv[3]), argc > 4 ? std::atoi(argv[4]) : 100,
             argc > 5 ? std::atoi(argv[5]) : 1};
  const std::map<std::string, std::function<void()>> roles{
      {"echo", echo}, {"publish", publish}, {"stay", stay}, {"ask", ask}};
  try {
    roles.at(options.role)();
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
