// A core loop on its own thread behind a loopback port, over a store in memory that fails or stands still when told;
// and peers that speak to it through real sockets, packet by packet.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <thread>

#include "gateway/mqtt/decode.h"
#include "gateway/mqtt/encode.h"
#include "gateway/net/core_loop.h"
#include "tests/support/broker_harness.h"
#include "tests/support/gated_store.h"

namespace tidegate::net {

inline uint16_t free_port() {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  (void)::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  (void)::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

// False: it did not come true within ten seconds.
inline bool wait_until(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

class Rig {
 public:
  explicit Rig(const broker::Limits& limits = {}, uint64_t pending_bytes_max = 32u << 20,
               uint32_t pending_connects_max = 100, Millis pending_patience = Seconds{600})
      : port_(free_port()),
        committer_(disk_, quick_retries()),
        loop_({limits, pending_connects_max, pending_patience, 1000, pending_bytes_max, {}}, disk_, committer_,
              events_) {
    committer_.add_listener([this] { loop_.commit_progressed(); });
    loop_.enter_turn();
    TIDEGATE_CHECK(loop_.broker().restore(disk_).has_value());
    ListenerOptions listener;
    listener.bind = "127.0.0.1";
    listener.port = port_;
    listener.policy.name = "test";
    listener.policy.allow_anonymous = true;
    listener.policy.limits = limits;
    TIDEGATE_CHECK(loop_.add_listener(listener).has_value());
    TIDEGATE_CHECK(loop_.commit_now().has_value());
    thread_ = std::thread([this] { loop_.run(Millis{5000}); });
  }
  ~Rig() {
    disk_.fail_next(0, ErrorCode::io);
    disk_.open();
    loop_.stop();
    thread_.join();
    committer_.stop();
  }

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] store::GatedStore& disk() { return disk_; }
  [[nodiscard]] uint64_t pending_bytes() const { return committer_.pending_bytes(); }
  // On the loop's thread.
  template <class Ask>
  auto ask(const Ask& question) {
    std::promise<decltype(question(std::declval<CoreLoop&>()))> answer;
    loop_.post([&] { answer.set_value(question(loop_)); });
    return answer.get_future().get();
  }

 private:
  struct NoEvents final : broker::Events {
    void client_connected(std::string_view, std::string_view, std::string_view) override {}
    void client_disconnected(std::string_view, std::string_view, std::string_view) override {}
    void client_refused(std::string_view, std::string_view, std::string_view) override {}
  };
  static store::Committer::Options quick_retries() {
    store::Committer::Options options;
    options.retry_after = Millis{20};
    return options;
  }

  uint16_t port_;
  NoEvents events_;
  store::GatedStore disk_;
  store::Committer committer_;
  CoreLoop loop_;
  std::thread thread_;
};

// A client of the loopback. The kernel keeps little for it, so that it is felt when it does not read.
class Peer {
 public:
  explicit Peer(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int little = 16 * 1024;
    (void)::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    (void)::setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &little, sizeof little);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    TIDEGATE_CHECK(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    (void)::fcntl(fd_, F_SETFL, O_NONBLOCK);
  }
  ~Peer() { ::close(fd_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  template <class P>
  void send(const P& packet) {
    std::string bytes;
    if constexpr (requires { mqtt::encode(packet, mqtt::Version::v3_1_1, bytes); }) {
      mqtt::encode(packet, mqtt::Version::v3_1_1, bytes);
    } else {
      mqtt::encode(packet, bytes);
    }
    for (std::string_view rest = bytes; !rest.empty();) {
      rest.remove_prefix(send_some(rest));
      if (!rest.empty() && !is_ready(POLLOUT, Millis{10'000})) return;
    }
  }
  void connect(std::string_view client_id, bool clean, std::string_view will = {}) {
    mqtt::Connect packet;
    packet.client_id = client_id;
    packet.clean_start = clean;
    if (!will.empty()) packet.will = mqtt::Will{"will", will, Qos::at_most_once, false, {}};
    send(packet);
  }
  void subscribe(std::string_view filter, uint16_t id) { send(mqtt::Subscribe{id, {{filter, {}}}, {}}); }

  // How many bytes of it the kernel takes now.
  size_t send_some(std::string_view bytes) {
    ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return n < 0 ? 0 : static_cast<size_t>(n);
  }
  [[nodiscard]] bool is_ready(short events, Millis limit) const {
    pollfd wait{fd_, events, 0};
    return ::poll(&wait, 1, static_cast<int>(limit.count())) > 0;
  }
  // The next packet as text; "closed"; "" if nothing comes in time.
  std::string next(Millis limit = Millis{10'000}) {
    while (true) {
      mqtt::Frame frame = mqtt::frame(std::string_view(input_).substr(used_), 1u << 28);
      if (frame.state == mqtt::Frame::State::complete) {
        auto packet = mqtt::decode(frame, mqtt::Version::v3_1_1);
        std::string text = packet ? test::describe(*packet) : "no packet";
        used_ += frame.size;
        return text;
      }
      input_.erase(0, std::exchange(used_, 0));
      if (!is_ready(POLLIN, limit)) return "";
      char bytes[16 * 1024];
      ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
      if (n <= 0) return "closed";
      input_.append(bytes, static_cast<size_t>(n));
    }
  }

 private:
  int fd_;
  std::string input_;
  size_t used_ = 0;  // of it
};

}  // namespace tidegate::net
