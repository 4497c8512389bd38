#include "tests/bench/prober.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/bench/run.h"

namespace bench {
namespace {

constexpr uint32_t probes = 5;
constexpr double probes_per_s = 100;  // of each
constexpr double late_max_s = 20;     // what has not arrived so long after the end is lost

// What goes over the pipe: a byte to begin, a byte when it has; a byte to end, and the report as JSON.
constexpr char word = '.';

bool say(int pipe) {
  return ::send(pipe, &word, 1, MSG_NOSIGNAL) == 1;
}

bool hear(int pipe) {
  char heard = 0;
  return ::recv(pipe, &heard, 1, 0) == 1;
}

// The child: one thread probes, this one listens to the parent, whose end is its own.
void probe(const LoadOptions& options, int pipe) {
  if (!hear(pipe)) return;
  Run run(options);
  std::string text;
  std::atomic<bool> ended{false};
  std::thread probing([&] {
    try {
      text = to_json(run.run(), options);
    } catch (const std::exception& error) {
      text = error.what();
    }
    ended = true;
  });
  while (!run.is_publishing() && !ended) std::this_thread::sleep_for(milliseconds(1));
  bool asked_to_end = run.is_publishing() && say(pipe) && hear(pipe);
  run.stop_publishing();
  if (!asked_to_end && !ended) ::_exit(1);
  probing.join();
  (void)!::send(pipe, text.data(), text.size(), MSG_NOSIGNAL);
}

}  // namespace

LoadOptions probe_options(const LoadOptions& base, const std::string& name) {
  LoadOptions probe = base;
  probe.mode = Mode::both;
  probe.pairs = true;
  probe.publishers = probe.subscribers = probes;
  probe.rate_per_s = probes * probes_per_s;
  probe.seconds = base.timeout_s;
  probe.settle_s = 0;
  probe.quiet_s = late_max_s;
  probe.pid = 0;
  probe.id += "-" + name;
  probe.topic += "/" + name;
  return probe;
}

Prober::Prober(const LoadOptions& options) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw Failure("no pipe to a prober");
  pipe_ = ends[0];
  child_ = ::fork();
  if (child_ < 0) throw Failure("no process for a prober");
  if (child_ > 0) {
    ::close(ends[1]);
    return;
  }
  ::close(ends[0]);
  probe(options, ends[1]);
  ::_exit(0);
}

Prober::~Prober() {
  close();
}

void Prober::close() {
  if (pipe_ < 0) return;
  ::close(pipe_);
  pipe_ = -1;
  ::waitpid(child_, nullptr, 0);
}

void Prober::begin() {
  if (say(pipe_) && hear(pipe_)) return;
  throw Failure("the prober cannot connect");
}

Report Prober::finish() {
  say(pipe_);
  ::shutdown(pipe_, SHUT_WR);
  std::string text;
  char part[4096];
  for (ssize_t got; (got = ::recv(pipe_, part, sizeof(part), 0)) > 0;) text.append(part, static_cast<size_t>(got));
  close();
  auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) throw Failure("the prober: " + text);
  Report report;
  json.at("sent").get_to(report.sent);
  json.at("received").get_to(report.received);
  json.at("lost").get_to(report.lost);
  json.at("connections_lost").get_to(report.connections_lost);
  json.at("lost_why").get_to(report.lost_why);
  json.at("p50_us").get_to(report.p50_us);
  json.at("p99_us").get_to(report.p99_us);
  json.at("max_us").get_to(report.max_us);
  json.at("late_p99_us").get_to(report.late_p99_us);
  return report;
}

}  // namespace bench
