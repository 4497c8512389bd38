#include "tests/sim/broker_sim.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "tests/sim/books.h"

namespace tidegate::sim {
namespace {

constexpr size_t clients = 9;
constexpr size_t trace_lines = 40;

broker::Limits sim_limits() {
  broker::Limits limits;
  limits.inflight_messages_max = 4;  // windows fill, queues wait
  return limits;
}

}  // namespace

BrokerSim::BrokerSim(uint64_t seed)
    : random_(seed), h_(sim_limits()), world_(h_), judge_(world_), may_refuse_(random_.one_in(2)) {
  h_.trace = [this](const std::string& line) { trace(line); };
  attach_bridge();
  h_.restored_state = [this] { attach_bridge(); };
  const std::vector<mqtt::Version> versions = {test::v3, test::v4, test::v5, test::v5};
  for (size_t i = 0; i < clients; ++i) {
    auto id = "c" + std::to_string(i);
    clients_.push_back(std::make_unique<SimClient>(world_, judge_, random_, id, random_.pick(versions), i < 4));
  }
  for (const char* id : {"n0", "n1"}) noises_.push_back(std::make_unique<SimNoise>(h_, random_, id));
}

void BrokerSim::trace(const std::string& line) {
  std::string timed = std::to_string(h_.now.mono.since_start.count()) + " " + line;
  if (prints_trace_) return (void)std::puts(timed.c_str());
  trace_.push_back(std::move(timed));
  if (trace_.size() > trace_lines) trace_.pop_front();
}

std::string BrokerSim::end_of_trace() const {
  std::string text;
  for (const std::string& line : trace_) text += line + "\n";
  return text;
}

void BrokerSim::attach_bridge() {
  h_.turn([&] { h_.broker().attach(bridge_of(h_.store())); });
}

// What one reads makes it send what another one reads.
void BrokerSim::read_all() {
  for (bool again = true; again;) {
    again = false;
    for (auto& client : clients_) again |= client->read();
  }
}

void BrokerSim::connect_all() {
  for (auto& client : clients_) {
    if (!client->is_ready()) client->connect();
  }
  read_all();
}

void BrokerSim::step() {
  size_t dice = random_.below(100);
  if (dice < 62) {
    random_.pick(clients_)->act();
  } else if (dice < 79) {
    if (h_.uncommitted() > 0) h_.commit();
  } else if (dice < 87) {
    h_.answer_read();
  } else if (dice < 91) {
    random_.pick(noises_)->act();
  } else if (dice < 97) {
    let_time_pass(Millis{random_.one_in(8) ? random_.below(30'000) : random_.below(3'000)});
  } else if (dice < 98) {
    change_store_state();
  } else if (dice < 99) {
    if (random_.one_in(3)) crash();
  } else {
    if (random_.one_in(4)) h_.store().fail_next(1 + random_.below(3), ErrorCode::io);
  }
}

// From one deadline to the next, as the gateway's own loop does.
void BrokerSim::let_time_pass(Millis time) {
  for (Instant until = h_.now.mono + time; h_.now.mono < until;) {
    Instant next = std::clamp(h_.broker().next_deadline(), h_.now.mono, until);
    h_.advance(next - h_.now.mono);
    judge_.time_passed();
    read_all();
  }
}

void BrokerSim::change_store_state() {
  using broker::StoreState;
  constexpr broker::StoreStates states[] = {
      {StoreState::ready, StoreState::ready},   {StoreState::ready, StoreState::ready},
      {StoreState::busy, StoreState::busy},     {StoreState::refusing, StoreState::ready},
      {StoreState::refusing, StoreState::busy}, {StoreState::refusing, StoreState::refusing}};
  auto state = states[random_.below(may_refuse_ ? 6 : 3)];
  h_.turn([&] { h_.broker().set_store_state(state); });
}

void BrokerSim::crash() {
  judge_.crashed();
  h_.crash(random_.below(h_.uncommitted() + 1));
  judge_.restarted();
  for (auto& client : clients_) client->broker_stopped();
  if (random_.one_in(3)) restart_twice();
}

// Invariant 7: recovering twice equals once.
void BrokerSim::restart_twice() {
  h_.commit_all();
  if (h_.uncommitted() > 0) return;  // the disk fails
  auto state = h_.store().table(store::Table::state), queue = h_.store().table(store::Table::queue);
  size_t sessions = h_.broker().sessions(), subscriptions = h_.broker().subscriptions();
  judge_.crashed();
  h_.crash();
  judge_.restarted();
  h_.commit_all();
  bool same = h_.store().table(store::Table::state) == state && h_.store().table(store::Table::queue) == queue;
  if (!same) world_.fault("recovery: recovering twice leaves another store");
  if (h_.broker().sessions() != sessions || h_.broker().subscriptions() != subscriptions) {
    world_.fault("recovery: recovering twice leaves other sessions");
  }
  if (h_.restored().unreadable != 0) world_.fault("recovery: records that the broker cannot read");
}

std::string BrokerSim::run(size_t steps) {
  connect_all();
  h_.hold_disk();
  h_.hold_reads();
  for (size_t i = 0; i < steps && world_.first_fault.empty(); ++i) {
    step();
    read_all();
  }
  if (world_.first_fault.empty()) calm_down();
  if (world_.first_fault.empty()) judge_.at_rest();
  if (world_.first_fault.empty()) check_bridge_queue(world_);
  if (world_.first_fault.empty()) check_store_is_empty(world_);
  return world_.first_fault;
}

bool BrokerSim::is_at_rest() const {
  return std::all_of(clients_.begin(), clients_.end(), [](const auto& c) { return c->is_ready() && c->is_done(); });
}

void BrokerSim::calm_down() {
  for (auto& noise : noises_) noise->end();
  h_.store().fail_next(0, ErrorCode::io);
  h_.turn([&] { h_.broker().set_store_state({}); });
  h_.free_disk();
  h_.free_reads();
  // Somebody new asks for everything that is retained.
  clients_.push_back(std::make_unique<SimClient>(world_, judge_, random_, "last", test::v5, false));
  connect_all();
  clients_.back()->subscribe("#", {.qos = 2});
  for (int round = 0; round < 2000 && world_.first_fault.empty(); ++round) {
    connect_all();
    if (is_at_rest()) return;
    for (auto& client : clients_) client->answer(100);
  }
  world_.fault("rest: it does not come");
}

}  // namespace tidegate::sim
