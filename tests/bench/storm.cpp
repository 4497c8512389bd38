#include "tests/bench/storm.h"

#include <sys/resource.h>

#include <deque>
#include <memory>
#include <optional>
#include <unordered_set>

#include "tests/bench/crowd.h"
#include "tests/bench/prober.h"
#include "tests/bench/process.h"

namespace bench {
namespace {

constexpr auto retry_after = std::chrono::seconds(1);  // MQTT.js's and Paho's first
constexpr int crowd_niceness = 10;
constexpr double linger_s = 1;  // for who is thrown out again

double seconds_since(Time start) {
  return static_cast<double>(nanoseconds(Clock::now() - start).count()) / 1e9;
}

class Storm final : public Client::Events {
 public:
  explicit Storm(const LoadOptions& options)
      : options_(options),
        broker_(resolve(options.host, options.port)),
        deadline_(Clock::now() + nanoseconds(static_cast<int64_t>(options.timeout_s * 1e9))) {}

  StormReport run() {
    std::optional<Prober> plain;
    if (options_.plain_port != 0) plain.emplace(plain_probe());
    Prober same(probe_options(options_, "probe"));
    gather();
    if (plain) plain->begin();
    same.begin();
    // The devices' own work would not be done on the broker's machine.
    setpriority(PRIO_PROCESS, 0, crowd_niceness);
    blow();
    report_.same = same.finish();
    if (plain) report_.plain = plain->finish();
    return report_;
  }

 private:
  LoadOptions plain_probe() const {
    LoadOptions options = probe_options(options_, "plain-probe");
    options.port = options.sub_port = options_.plain_port;
    options.path.tls = nullptr;
    return options;
  }

  // All get in, a few at a time.
  void gather() {
    while (back_.size() < options_.storm) {
      while (clients_.size() < options_.storm && clients_.size() - back_.size() < connecting_max) {
        auto number = static_cast<uint32_t>(clients_.size());
        clients_.emplace_back(loop_, *this, crowd_member(options_, broker_, number)).open(broker_);
      }
      loop_.poll(milliseconds(100));
      if (!down_.empty()) throw Failure("connection " + down_.front().first->id() + ": " + report_.retry_why);
      if (Clock::now() > deadline_) throw Failure("timeout with " + std::to_string(back_.size()) + " connections");
    }
  }

  // Nothing paces them but the kernel; who is refused or lost tries again after a while, as clients do.
  void blow() {
    report_.clients = options_.storm;
    int64_t broker_cpu_ns = read_process(options_.pid).cpu_ns;
    int64_t own = own_cpu_ns();
    Time start = Clock::now();
    for (Client& client : clients_) client.cut();
    back_.clear();
    for (Client& client : clients_) client.open(broker_);
    turn_until([this] { return back_.size() == clients_.size(); }, deadline_);
    report_.seconds = seconds_since(start);
    report_.broker_cpu_ns = read_process(options_.pid).cpu_ns - broker_cpu_ns;
    report_.own_cpu_ns = own_cpu_ns() - own;
    turn_until([] { return false; }, Clock::now() + nanoseconds(static_cast<int64_t>(linger_s * 1e9)));
    report_.back = static_cast<uint32_t>(back_.size());
  }

  template <class Done>
  void turn_until(const Done& done, Time deadline) {
    while (!done() && Clock::now() < deadline) {
      while (!down_.empty() && down_.front().second <= Clock::now()) {
        down_.front().first->open(broker_);
        down_.pop_front();
        ++report_.retries;
      }
      loop_.poll(milliseconds(10));
    }
  }

  void on_up(Client& client, const Connack& connack) override {
    (void)connack;
    const std::vector<std::string> commands{options_.topic + "/" + client.id()};
    client.subscribe(commands, 0);
  }
  void on_subscribed(Client& client) override { back_.insert(&client); }
  void on_down(Client& client, const std::string& why) override {
    back_.erase(&client);
    report_.retry_why = why;
    down_.emplace_back(&client, Clock::now() + retry_after);
  }

  const LoadOptions& options_;
  Loop loop_;
  Address broker_;
  Time deadline_;
  std::deque<Client> clients_;
  std::unordered_set<const Client*> back_;
  std::deque<std::pair<Client*, Time>> down_;  // each with when it tries again
  StormReport report_;
};

}  // namespace

StormReport run_storm(const LoadOptions& options) {
  allow_open_files(options.storm);
  return Storm(options).run();
}

}  // namespace bench
