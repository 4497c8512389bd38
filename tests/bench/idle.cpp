// --idle: N connections that did CONNECT and nothing else, and what each costs the broker in memory.
#include <sys/resource.h>

#include <deque>

#include "tests/bench/process.h"
#include "tests/bench/run.h"

namespace bench {
namespace {

constexpr uint32_t connecting_max = 50;  // at a time: Mosquitto's listen backlog is 100

void raise_open_files_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

struct Crowd final : Client::Events {
  void on_up(Client& client, const Connack& connack) override {
    (void)client;
    (void)connack;
    ++up;
  }
  void on_down(Client& client, const std::string& why) override {
    ++lost;
    lost_why = client.id() + ": " + why;
  }

  uint32_t up = 0;
  uint32_t lost = 0;
  std::string lost_why;
};

void wait(Loop& loop, double seconds) {
  Time end = Clock::now() + nanoseconds(static_cast<int64_t>(seconds * 1e9));
  while (Clock::now() < end) loop.poll(end - Clock::now());
}

}  // namespace

Report run_idle(const LoadOptions& options) {
  raise_open_files_limit();
  Loop loop;
  Crowd crowd;
  std::deque<Client> clients;
  Address address = resolve(options.host, options.port);
  Report report;
  report.rss_before_bytes = read_process(options.pid).rss_bytes;
  Time start = Clock::now();
  Time deadline = start + nanoseconds(static_cast<int64_t>(options.timeout_s * 1e9));
  while (crowd.up < options.idle) {
    while (clients.size() < options.idle && clients.size() - crowd.up < connecting_max) {
      ClientOptions client{{options.version, options.id + "-idle-" + std::to_string(clients.size())}, options.nodelay};
      clients.emplace_back(loop, crowd, client).open(address);
    }
    loop.poll(milliseconds(100));
    if (crowd.lost > 0) throw Failure("connection " + crowd.lost_why);
    if (Clock::now() > deadline) throw Failure("timeout with " + std::to_string(crowd.up) + " connections");
  }
  report.seconds = static_cast<double>(nanoseconds(Clock::now() - start).count()) / 1e9;
  wait(loop, options.settle_s + 0.5);
  report.rss_bytes = read_process(options.pid).rss_bytes;
  wait(loop, options.hold_s);
  report.connections_lost = crowd.lost;
  report.lost_why = crowd.lost_why;
  report.connections = crowd.up;
  report.cpu_messages = crowd.up;
  report.bytes_per_connection = static_cast<double>(report.rss_bytes - report.rss_before_bytes) / crowd.up;
  for (Client& client : clients) client.close();
  return report;
}

}  // namespace bench
