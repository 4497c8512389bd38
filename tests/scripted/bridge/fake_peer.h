// A remote MQTT broker of a few lines that does what a test tells it: accept, refuse, be silent, cut, not acknowledge.
//
// Takes 3.1.1 and 5.0, QoS 0 and 1. One thread for each connection. Thread: everything public from the test's.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tidegate::bridge {

struct PeerScript {
  bool close_on_accept = false;
  bool answer_connect = true;
  bool close_after_connack = false;
  int connack_code = 0;
  bool session_present = false;
  int receive_maximum = 0;           // 5.0; 0: not sent
  bool acknowledge = true;           // PUBLISH
  int puback_code = 0;               // 5.0
  size_t close_after_publishes = 0;  // of one connection, before the answer to that one; 0: never
  bool answer_ping = true;
};

class FakePeer {
 public:
  struct Connect {
    int version = 0;
    bool clean = false;
    uint16_t keepalive = 0;
    std::string properties, client_id, will_topic, will_payload, username, password;
    std::chrono::steady_clock::time_point at;
  };
  struct Publish {
    size_t connection = 0;
    int qos = 0;
    bool dup = false, retain = false;
    std::string topic, properties, payload;
  };
  struct Subscribe {  // one filter
    std::string filter;
    int options = 0;
    uint16_t packet_id = 0;
  };

  explicit FakePeer(PeerScript script = {}, const char* numeric = "127.0.0.1", uint16_t port = 0);
  ~FakePeer();
  [[nodiscard]] uint16_t port() const { return port_; }
  void set(PeerScript script);
  void send_publish(const std::string& topic, const std::string& payload, int qos, const std::string& properties = {});
  void cut();     // every connection
  void forget();  // the publishes so far

  // True once `condition` holds; false after ten seconds (or `limit`).
  bool wait(const std::function<bool()>& condition, std::chrono::milliseconds limit = std::chrono::seconds(10));
  [[nodiscard]] std::vector<Connect> connects() const;
  [[nodiscard]] std::vector<Publish> publishes() const;
  [[nodiscard]] std::vector<Subscribe> subscribes() const;
  [[nodiscard]] size_t accepts() const;
  [[nodiscard]] size_t pubacks() const;
  [[nodiscard]] size_t disconnects() const;

 private:
  struct Link;
  void accept_loop();
  void serve(const std::shared_ptr<Link>& link);
  bool handle(Link& link, uint8_t first, const std::string& body);
  bool handle_connect(Link& link, const std::string& body);
  bool handle_publish(Link& link, uint8_t first, const std::string& body);
  bool handle_subscribe(Link& link, const std::string& body);

  int listener_ = -1;
  uint16_t port_ = 0;
  mutable std::mutex mutex_;
  PeerScript script_;
  std::vector<std::shared_ptr<Link>> links_;
  std::vector<Connect> connects_;
  std::vector<Publish> publishes_;
  std::vector<Subscribe> subscribes_;
  size_t accepts_ = 0, pubacks_ = 0, disconnects_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread acceptor_;
};

}  // namespace tidegate::bridge
