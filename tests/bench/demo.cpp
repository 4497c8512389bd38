// tidegate-demo: devices publish to a gateway, the cloud goes away and comes back, and every message is counted.
// Two processes of the real program, on loopback, in a temporary folder. See README.md.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/bench/child.h"
#include "tests/bench/demo_view.h"
#include "tests/bench/publisher.h"
#include "tests/bench/subscriber.h"

namespace bench {
namespace {

constexpr auto retry_interval = milliseconds(300);
constexpr double linger_s = 1;  // after the last arrival, for what should not come
const char* const bridge_client_id = "demo-gateway-cloud";

volatile std::sig_atomic_t interrupted = 0;

struct DemoOptions {
  std::string tidegate;
  uint32_t devices = 5;
  double rate_per_s = 100;
  double seconds = 40;
  double away_at_s = 10;
  double away_s = 15;
  double limit_s = 90;
  bool keep = false;
};

// Listens to what the gateway says of its bridge.
class BridgeWatch final : public Client::Events {
 public:
  explicit BridgeWatch(Loop& loop) : client_(loop, *this, {{Version::v311, "demo-watch"}}) {}

  void keep_open(const Address& address) {
    if (!client_.open()) client_.open(address);
  }
  void fill(Scene& scene) const {
    scene.bridge_state = state_;
    scene.connection = connection_;
    scene.queue = queue_;
    scene.queue_known = queue_known_;
    scene.bridge_dropped = dropped_;
  }

 private:
  void on_up(Client& client, const Connack& connack) override {
    (void)connack;
    const std::vector<std::string> filters{"$SYS/broker/bridge/cloud/status",
                                           "$SYS/broker/connection/" + std::string(bridge_client_id) + "/state"};
    client.subscribe(filters, 0);
  }
  void on_publish(Client& client, const Publish& publish) override {
    (void)client;
    if (publish.topic.ends_with("/state")) {
      connection_ = publish.payload == "1" ? 1 : 0;
      return;
    }
    auto status = nlohmann::json::parse(publish.payload, nullptr, false);
    if (!status.is_object()) return;
    if (auto state = status.find("state"); state != status.end() && state->is_string()) state_ = *state;
    queue_known_ = number(status, "queue_messages", queue_) || queue_known_;
    number(status, "dropped", dropped_);
  }
  void on_down(Client& client, const std::string& why) override {
    (void)client;
    (void)why;
  }
  static bool number(const nlohmann::json& object, const char* key, uint64_t& value) {
    auto found = object.find(key);
    if (found == object.end() || !found->is_number()) return false;
    value = found->get<uint64_t>();
    return true;
  }

  Client client_;
  std::string state_ = "?";
  int connection_ = -1;
  uint64_t queue_ = 0;
  bool queue_known_ = false;
  uint64_t dropped_ = 0;
};

std::filesystem::path write_config(const std::filesystem::path& folder, const std::string& name, nlohmann::json config,
                                   uint16_t port) {
  config["gateway"] = {{"name", "demo-" + name}, {"sys_interval", "1s"}};
  config["listeners"] = {{{"name", "lan"}, {"bind", "127.0.0.1"}, {"port", port}, {"allow_anonymous", true}}};
  config["store"] = {{"path", (folder / (name + "-store")).string()}};
  std::filesystem::path path = folder / (name + ".json");
  std::ofstream(path) << config.dump(2) << '\n';
  return path;
}

nlohmann::json bridge_to(uint16_t port) {
  nlohmann::json rule = {{"topic", "demo/#"}, {"direction", "out"}, {"qos", 1}};
  nlohmann::json bridge = {{"name", "cloud"},
                           {"addresses", {"127.0.0.1:" + std::to_string(port)}},
                           {"protocol_version", "3.1.1"},
                           {"client_id", bridge_client_id},
                           {"restart_timeout", {{"base", "1s"}, {"cap", "2s"}}},
                           {"rules", nlohmann::json::array({rule})}};
  return {{"bridges", nlohmann::json::array({bridge})}};
}

LoadOptions load_options(const DemoOptions& demo) {
  LoadOptions options;
  options.id = "demo";
  options.topic = "demo";
  options.persistent = true;
  options.publishers = demo.devices;
  options.pub_qos = options.sub_qos = 1;
  options.rate_per_s = demo.rate_per_s;
  options.messages = static_cast<uint64_t>(demo.rate_per_s * demo.seconds);
  options.run = 1;
  return options;
}

class Demo {
 public:
  explicit Demo(const DemoOptions& options)
      : options_(options),
        load_(load_options(options)),
        folder_(options.keep),
        cloud_port_(free_port()),
        gateway_port_(free_port()),
        cloud_({options.tidegate, "run", "-c", write_config(folder_.path(), "cloud", {}, cloud_port_).string()},
               folder_.path() / "cloud.log"),
        gateway_({options.tidegate, "run", "-c",
                  write_config(folder_.path(), "gateway", bridge_to(cloud_port_), gateway_port_).string()},
                 folder_.path() / "gateway.log"),
        cloud_address_(resolve("127.0.0.1", cloud_port_)),
        gateway_address_(resolve("127.0.0.1", gateway_port_)),
        counter_(loop_, traffic_, load_, 0),
        watch_(loop_) {}

  int run() {
    std::printf(
        "%u devices publish %.0f messages/s with QoS 1 to a gateway, which bridges them to a cloud.\n"
        "The cloud goes away at %.0f s and is back at %.0f s. Files: %s\n",
        options_.devices, options_.rate_per_s, options_.away_at_s, options_.away_at_s + options_.away_s,
        folder_.path().c_str());
    if (set_up()) perform();
    return conclude();
  }

 private:
  // The subscriber's session is first: what the bridge brings later has somewhere to go.
  bool set_up() {
    cloud_.start();
    if (!turn_until([this] { return traffic_.ready >= 1; }, cloud_, "the cloud")) return false;
    gateway_.start();
    for (uint32_t i = 0; i < options_.devices; ++i) {
      devices_.push_back(std::make_unique<Publisher>(loop_, traffic_, load_, i));
    }
    return turn_until([this] { return traffic_.ready >= 1 + options_.devices; }, gateway_, "the gateway");
  }

  bool turn_until(const std::function<bool()>& done, Child& child, const std::string& name) {
    Time end = Clock::now() + std::chrono::seconds(15);
    while (!done() && interrupted == 0) {
      if (!child.running()) throw Failure(name + " ended at once:\n" + child.last_words());
      if (Clock::now() > end) throw Failure(name + " does not answer:\n" + child.last_words());
      turn(Clock::now());
    }
    return interrupted == 0;
  }

  void perform() {
    traffic_.start = traffic_.last_arrival = Clock::now();
    traffic_.publishing = true;
    while (interrupted == 0 && seconds() < options_.limit_s && !complete()) {
      direct_the_cloud();
      turn(Clock::now());
      if (!gateway_.running()) throw Failure("the gateway ended in the middle:\n" + gateway_.last_words());
      view_.show(scene());
    }
  }

  void direct_the_cloud() {
    double now = seconds();
    bool away = now >= options_.away_at_s && now < options_.away_at_s + options_.away_s;
    if (away) {
      if (!asked_to_leave_) cloud_.terminate();
      asked_to_leave_ = true;
    } else if (asked_to_leave_ && !is_back_) {
      cloud_.stop();  // it should have ended long ago
      cloud_.start();
      is_back_ = true;
    } else if (!cloud_.running()) {
      throw Failure("the cloud ended by itself:\n" + cloud_.last_words());
    }
  }

  void turn(Time now) {
    Time wake = now + milliseconds(50);
    reconnect(now);
    for (auto& device : devices_) {
      device->pump(now);
      wake = std::min(wake, device->next_due());
    }
    loop_.poll(wake - Clock::now());
  }

  void reconnect(Time now) {
    if (now < next_try_) return;
    next_try_ = now + retry_interval;
    if (!counter_.open() && cloud_.running()) counter_.open(cloud_address_);
    if (!gateway_.running()) return;
    watch_.keep_open(gateway_address_);
    for (auto& device : devices_) {
      if (device->open()) continue;
      // A device would have to send again what was not acknowledged; here nothing should ever cut it off.
      if (traffic_.publishing) throw Failure("a device lost its connection: " + traffic_.lost_why);
      device->open(gateway_address_);
    }
  }

  bool complete() {
    bool all = traffic_.counts.received >= load_.messages && traffic_.acknowledged >= load_.messages;
    return all && Clock::now() - traffic_.last_arrival > std::chrono::duration<double>(linger_s);
  }

  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(Clock::now() - traffic_.start).count(); }

  Scene scene() {
    Scene scene;
    scene.seconds = seconds();
    double back_in = options_.away_at_s + options_.away_s - scene.seconds;
    if (asked_to_leave_ && !is_back_) {
      scene.cloud = "away, back in " + std::to_string(static_cast<int>(back_in) + 1) + " s";
    } else {
      scene.cloud = !counter_.up() ? "starting" : is_back_ ? "there again" : "there";
    }
    watch_.fill(scene);
    scene.sent = traffic_.sent;
    scene.acknowledged = traffic_.acknowledged;
    scene.delivered = traffic_.counts.received;
    scene.duplicated = traffic_.counts.duplicated;
    for (uint32_t i = 0; i < options_.devices; ++i) scene.lost += counter_.stream(i).gaps();
    return scene;
  }

  // The one summary line, from the sequence numbers of the payloads.
  int conclude() {
    uint64_t lost = 0;
    for (uint32_t i = 0; i < devices_.size(); ++i) {
      lost += counter_.stream(i).missing_below(devices_[i]->sequence_end());
    }
    auto wide = [](uint64_t value) { return static_cast<unsigned long long>(value); };
    std::printf("%s: sent %llu, delivered %llu, %s %llu, duplicated %llu\n",
                interrupted != 0 ? "Interrupted" : "Result", wide(traffic_.sent), wide(traffic_.counts.received),
                interrupted != 0 ? "on their way" : "lost", wide(lost), wide(traffic_.counts.duplicated));
    if (interrupted != 0) return 130;
    return lost > 0 || traffic_.sent < load_.messages ? 1 : 0;
  }

  const DemoOptions options_;
  const LoadOptions load_;
  TemporaryFolder folder_;  // outlives the processes that write into it
  uint16_t cloud_port_;
  uint16_t gateway_port_;
  Child cloud_;
  Child gateway_;
  Address cloud_address_;
  Address gateway_address_;
  Loop loop_;
  Traffic traffic_;
  Subscriber counter_;
  BridgeWatch watch_;
  std::vector<std::unique_ptr<Publisher>> devices_;
  DemoView view_;
  Time next_try_{};
  bool asked_to_leave_ = false;
  bool is_back_ = false;
};

int parse(int argc, char** argv, DemoOptions& options) {
  CLI::App app(
      "Devices publish to a Tidegate gateway; the cloud goes away and comes back; every message is counted.\n"
      "Exit: 0 nothing lost; 1 lost; 2 could not run; 130 interrupted.",
      "tidegate-demo");
  app.add_option("--tidegate", options.tidegate, "The program")->required()->check(CLI::ExistingFile);
  app.add_option("--devices", options.devices, "Simulated devices")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--rate", options.rate_per_s, "Messages per second of all")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "How long they publish")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--away-at", options.away_at_s, "When the cloud is stopped")->capture_default_str();
  app.add_option("--away", options.away_s, "How long it stays away")->capture_default_str();
  app.add_option("--limit", options.limit_s, "Ends at the latest")->capture_default_str();
  app.add_flag("--keep", options.keep, "Leave the temporary folder (configurations, logs, stores)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return -1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::DemoOptions options;
  int ended = bench::parse(argc, argv, options);
  if (ended >= 0) return ended;
  for (int number : {SIGINT, SIGTERM, SIGHUP}) std::signal(number, [](int) { bench::interrupted = 1; });
  try {
    return bench::Demo(options).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tidegate-demo: %s\n", error.what());
    return 2;
  }
}
