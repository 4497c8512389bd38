// --idle: N connections that did CONNECT and nothing else, and what each costs the broker in memory.
#include <deque>

#include "tests/bench/crowd.h"
#include "tests/bench/process.h"
#include "tests/bench/run.h"

namespace bench {
namespace {

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
  allow_open_files(options.idle);
  Loop loop;
  Crowd crowd;
  std::deque<Client> clients;
  Address address = resolve(options.host, options.port);
  Report report;
  ProcessUse before = read_process(options.pid);
  report.rss_before_bytes = before.rss_bytes;
  Time start = Clock::now();
  Time deadline = start + nanoseconds(static_cast<int64_t>(options.timeout_s * 1e9));
  while (crowd.up < options.idle) {
    while (clients.size() < options.idle && clients.size() - crowd.up < connecting_max) {
      auto number = static_cast<uint32_t>(clients.size());
      clients.emplace_back(loop, crowd, crowd_member(options, address, number)).open(address);
    }
    loop.poll(milliseconds(100));
    if (crowd.lost > 0) throw Failure("connection " + crowd.lost_why);
    if (Clock::now() > deadline) throw Failure("timeout with " + std::to_string(crowd.up) + " connections");
  }
  report.seconds = static_cast<double>(nanoseconds(Clock::now() - start).count()) / 1e9;
  wait(loop, options.settle_s + 0.5);
  ProcessUse with_them = read_process(options.pid);
  report.rss_bytes = with_them.rss_bytes;
  report.broker_cpu_ns = with_them.cpu_ns - before.cpu_ns;
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
