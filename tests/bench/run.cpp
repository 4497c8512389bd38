#include "tests/bench/run.h"

#include <algorithm>

#include "tests/bench/crowd.h"
#include "tests/bench/process.h"

namespace bench {
namespace {

constexpr auto linger_time = milliseconds(100);
constexpr auto stall_time = std::chrono::seconds(1);

nanoseconds seconds_of(double seconds) {
  return nanoseconds(static_cast<int64_t>(seconds * 1e9));
}
double in_seconds(nanoseconds time) {
  return static_cast<double>(time.count()) / 1e9;
}

}  // namespace

Run::Run(const LoadOptions& options) : options_(options), deadline_(Clock::now() + seconds_of(options.timeout_s)) {
  traffic_.copies = options.pairs || options.mode != Mode::both ? 1 : options.subscribers;
  if (!options.acked_file.empty()) traffic_.acked_log.emplace(options.acked_file);
  if (!options.received_file.empty()) traffic_.received_log.emplace(options.received_file);
}

Report Run::run() {
  bool publishes = options_.mode == Mode::both || options_.mode == Mode::publish;
  if (options_.mode == Mode::subscribe) begin_measuring();  // a kept session delivers before the SUBACK
  if (options_.mode != Mode::publish && !options_.retained) connect_subscribers();
  if (publishes) {
    connect_publishers();
    turn_until([] { return false; }, Clock::now() + seconds_of(options_.settle_s));
    publish();
  }
  if (options_.retained) connect_subscribers();
  if (options_.mode != Mode::enrol) collect();
  return report();
}

void Run::connected(uint32_t wanted) {
  bool done = turn_until([&] { return traffic_.ready >= wanted || traffic_.connections_lost > 0; }, deadline_);
  if (traffic_.connections_lost > 0) throw Failure("cannot connect: " + traffic_.lost_why);
  if (!done) throw Failure("timeout while connecting");
}

template <class End>
void Run::connect_all(std::vector<std::unique_ptr<End>>& ends, uint32_t count, const Address& address) {
  uint32_t before = traffic_.ready;
  for (uint32_t i = 0; i < count; ++i) {
    ends.push_back(std::make_unique<End>(loop_, traffic_, options_, i));
    ends.back()->open(address);
    if ((i + 1) % connecting_max == 0) connected(before + i + 1);
  }
  connected(before + count);
}

void Run::connect_subscribers() {
  connect_all(subscribers_, options_.subscribers, resolve(options_.sub_host, options_.sub_port));
  if (options_.mode != Mode::enrol) return;
  for (auto& subscriber : subscribers_) subscriber->close();
}

void Run::connect_publishers() {
  connect_all(publishers_, options_.publishers, resolve(options_.host, options_.port));
}

void Run::begin_measuring() {
  traffic_.start = traffic_.last_ack = traffic_.last_arrival = Clock::now();
  ProcessUse use = read_process(options_.pid);
  broker_cpu_start_ns_ = use.cpu_ns;
  if (rss_before_bytes_ == 0) rss_before_bytes_ = use.rss_bytes;
  own_cpu_start_ns_ = own_cpu_ns();
}

void Run::publish() {
  begin_measuring();
  traffic_.publishing = true;
  begun_ = true;
  Time end = options_.seconds > 0 ? std::min(deadline_, traffic_.start + seconds_of(options_.seconds)) : deadline_;
  turn_until([this] { return stopped_ || publishers_done(); }, end);
  traffic_.publishing = false;
  if (!options_.retained) return;
  set_seconds_ = in_seconds(traffic_.last_ack - traffic_.start);
  begin_measuring();
}

bool Run::publishers_done() const {
  return std::all_of(publishers_.begin(), publishers_.end(), [](const auto& publisher) { return publisher->done(); });
}

bool Run::quiet() const {
  Time last = std::max({traffic_.last_arrival, traffic_.last_ack, collect_since_});
  return Clock::now() - last > seconds_of(options_.quiet_s);
}

// Waits for what is on its way, reads the meters, and stays a moment for what should not come.
void Run::collect() {
  collect_since_ = Clock::now();
  bool counts_arrivals = options_.mode == Mode::both;
  auto complete = [&] {
    if (options_.mode == Mode::subscribe) return quiet();
    bool arrived = !counts_arrivals || traffic_.counts.received >= (traffic_.sent - traffic_.refused) * traffic_.copies;
    return (arrived && publishers_done()) || quiet();
  };
  timed_out_ = !turn_until(complete, deadline_);
  ProcessUse use = read_process(options_.pid);
  broker_cpu_ns_ = use.cpu_ns - broker_cpu_start_ns_;
  rss_bytes_ = use.rss_bytes;
  own_cpu_ns_ = own_cpu_ns() - own_cpu_start_ns_;
  if (counts_arrivals) turn_until([] { return false; }, Clock::now() + linger_time);
  for (auto& publisher : publishers_) publisher->close();
  for (auto& subscriber : subscribers_) subscriber->close();
}

bool Run::turn_until(const std::function<bool()>& done, Time deadline) {
  while (!done()) {
    if (Clock::now() >= deadline) return false;
    turn(deadline);
  }
  return true;
}

void Run::turn(Time deadline) {
  Time now = Clock::now();
  Time wake = std::min(deadline, now + milliseconds(100));
  bool hungry = false;
  for (auto& publisher : publishers_) {
    if (publisher->pump(now)) hungry = true;
    wake = std::min(wake, publisher->next_due());
  }
  loop_.poll(hungry ? nanoseconds(0) : nanoseconds(wake - Clock::now()));
  if (traffic_.acked_log) traffic_.acked_log->flush();
  // QoS 0 may be dropped: what holds back publishing and does not arrive is given up, or the run would stand still.
  bool held = options_.max_in_flight > 0 && traffic_.in_flight() >= options_.max_in_flight;
  if (held && Clock::now() - traffic_.last_arrival > stall_time) {
    traffic_.written_off += traffic_.in_flight();
    traffic_.last_arrival = Clock::now();
  }
}

void Run::count_losses(Report& report) const {
  for (uint32_t p = 0; p < publishers_.size(); ++p) {
    uint64_t end = publishers_[p]->sequence_end();
    std::set<uint64_t> open = publishers_[p]->open_sequences();
    for (uint32_t s = 0; s < subscribers_.size(); ++s) {
      if (options_.pairs && s != p) continue;
      const Stream& stream = subscribers_[s]->stream(p);
      auto excused = std::count_if(open.begin(), open.end(), [&](uint64_t sequence) { return !stream.has(sequence); });
      report.expected += end - options_.first_sequence - open.size();
      report.lost += stream.missing_below(end) - static_cast<uint64_t>(excused);
    }
  }
}

// Of every publisher, what the file promises must have come to every subscriber.
void Run::check_acked(Report& report) const {
  for (const auto& [publisher, sequences] : read_sequence_log(options_.check_acked)) {
    for (const auto& subscriber : subscribers_) {
      const Stream& stream = subscriber->stream(publisher);
      report.expected += sequences.size();
      for (uint64_t sequence : sequences) report.lost += stream.has(sequence) ? 0 : 1;
    }
  }
}

Report Run::report() const {
  Report report;
  report.sent = traffic_.sent;
  report.acknowledged = traffic_.acknowledged;
  report.refused = traffic_.refused;
  report.received = traffic_.counts.received;
  report.duplicated = traffic_.counts.duplicated;
  report.reordered = traffic_.counts.reordered;
  report.foreign = traffic_.counts.foreign;
  report.connections_lost = traffic_.connections_lost;
  report.lost_why = traffic_.lost_why;
  report.timed_out = timed_out_;
  report.set_seconds = set_seconds_;
  report.p50_us = traffic_.latency.quantile_us(0.50);
  report.p99_us = traffic_.latency.quantile_us(0.99);
  report.max_us = traffic_.latency.max_us();
  report.late_p99_us = traffic_.lateness.quantile_us(0.99);
  report.broker_cpu_ns = broker_cpu_ns_;
  report.own_cpu_ns = own_cpu_ns_;
  report.rss_bytes = rss_bytes_;
  report.rss_before_bytes = rss_before_bytes_;
  bool publish_only = options_.mode == Mode::publish;
  report.cpu_messages = !publish_only ? report.received : options_.pub_qos > 0 ? report.acknowledged : report.sent;
  Time end = !publish_only ? traffic_.last_arrival : options_.pub_qos > 0 ? traffic_.last_ack : collect_since_;
  report.seconds = in_seconds(end - traffic_.start);
  if (options_.mode == Mode::both) count_losses(report);
  if (!options_.check_acked.empty()) check_acked(report);
  return report;
}

}  // namespace bench
