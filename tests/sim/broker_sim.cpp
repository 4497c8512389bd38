#include "tests/sim/broker_sim.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "store/keys.h"

namespace tidegate::sim {
namespace {

constexpr QueueId bridge_queue{1'000'000};

broker::Limits sim_limits() {
  broker::Limits limits;
  limits.inflight_messages_max = 4;  // windows fill, queues wait
  return limits;
}

}  // namespace

BrokerSim::BrokerSim(uint64_t seed) : random_(seed), h_(sim_limits()), may_refuse_(random_.one_in(2)) {
  using test::v3, test::v4, test::v5;
  const SimSubscriber::Traits traits[] = {
      {"all-2", v5, true, "#", 2},
      {"all-1", v4, true, "#", 1},
      {"a-2", v4, true, "+/a", 2},
      {"p0-2", v3, true, "p0/#", 2},
      {"b-1", v5, true, "+/+/b", 1},
      {"clean-2", v4, false, "p1/#", 2},
      {"clean-1", v5, false, "#", 1},
      {"g-0", v5, true, "$share/g/#", 2},
      {"g-1", v4, true, "$share/g/#", 2},
      {"h-0", v4, true, "$share/h/#", 1},
      {"h-1", v5, true, "$share/h/#", 1, true},
      {"h-2", v5, true, "$share/h/#", 1, true},
  };
  for (const auto& t : traits) subscribers_.push_back(std::make_unique<SimSubscriber>(h_, random_, ledgers_, t));
  const mqtt::Version versions[] = {v4, v5, v3};
  for (size_t i = 0; i < 3; ++i) {
    publishers_.push_back(std::make_unique<SimPublisher>(h_, random_, ledgers_, "p" + std::to_string(i), versions[i]));
  }
  for (const char* id : {"n0", "n1"}) noises_.push_back(std::make_unique<SimNoise>(h_, random_, id));
  attach_bridge();
  // Everybody is subscribed before the first message: from here on all of them are owed.
  for (auto& s : subscribers_) s->connect(), s->read(), s->read();
  for (auto& p : publishers_) p->connect();
  read_all();
  h_.hold_disk();
  h_.hold_reads();
}

void BrokerSim::print_trace() {
  h_.trace = [](const std::string& line) { std::puts(line.c_str()); };
}

void BrokerSim::attach_bridge() {
  store::QueueTail tail;
  auto table = h_.store().table(store::Table::state);
  if (auto found = table.find(store::queue_tail_key(bridge_queue)); found != table.end()) {
    tail = *store::decode_queue_tail(found->second);
  }
  std::vector<store::BridgeRule> rules;
  if (auto found = table.find(store::bridge_rules_key(bridge_queue)); found != table.end()) {
    rules = *store::decode_bridge_rules(found->second);
  }
  auto bridge = std::make_unique<broker::BridgeEnd>(
      broker::BridgeEnd{BridgeId{1}, store::QueueAppender(bridge_queue, tail), {}, rules, {}, {}, false, {}});
  bridge->offer_qos0 = [](MessagePtr) { return true; };
  bridge->committed = [](const store::QueueTail&) {};
  broker::BridgeRoute route{nullptr, 0, *TopicFilter::parse("p0/#"), "up/p0/#", Qos::at_least_once, false, true, {}};
  route.map = [](TopicName local) { return std::optional("up/" + std::string(local.text())); };
  bridge->routes.push_back(std::move(route));
  h_.turn([&] { h_.broker().attach(std::move(bridge)); });
}

void BrokerSim::read_all() {
  for (auto& s : subscribers_) s->read();
  for (auto& p : publishers_) p->read();
}

void BrokerSim::step() {
  size_t dice = random_.below(100);
  if (dice < 30) {
    random_.pick(publishers_)->publish();
  } else if (dice < 50) {
    random_.pick(subscribers_)->answer(1 + random_.below(4));
  } else if (dice < 68) {
    if (h_.uncommitted() > 0) h_.commit();
  } else if (dice < 78) {
    h_.answer_read();
  } else if (dice < 84) {
    random_.pick(noises_)->act();
  } else if (dice < 88) {
    auto& s = random_.pick(subscribers_);
    random_.one_in(3) ? s->connect() : s->lose();  // connected: it takes itself over
  } else if (dice < 90) {
    auto& p = random_.pick(publishers_);
    random_.one_in(3) ? p->connect() : p->lose();
  } else if (dice < 95) {
    for (auto& s : subscribers_) {
      if (!s->is_ready()) s->connect();
    }
    for (auto& p : publishers_) {
      if (!p->is_ready()) p->connect();
    }
  } else if (dice < 96) {
    change_store_state();
  } else if (dice < 98) {
    h_.advance(Seconds{random_.below(20)});
  } else if (dice == 98) {
    crash();
  } else {
    if (random_.one_in(4)) h_.store().fail_next(1 + random_.below(3), ErrorCode::io);
  }
}

void BrokerSim::change_store_state() {
  using broker::StoreState;
  constexpr broker::StoreStates states[] = {
      {StoreState::ready, StoreState::ready},   {StoreState::ready, StoreState::ready},
      {StoreState::busy, StoreState::busy},     {StoreState::refusing, StoreState::ready},
      {StoreState::refusing, StoreState::busy}, {StoreState::refusing, StoreState::refusing}};
  auto state = states[random_.below(may_refuse_ ? 6 : 3)];
  if (state.messages == StoreState::refusing) {
    for (auto& p : publishers_) p->store_refuses();
  }
  h_.turn([&] { h_.broker().set_store_state(state); });
}

void BrokerSim::crash() {
  h_.crash(random_.below(h_.uncommitted() + 1));
  for (auto& s : subscribers_) s->broker_stopped();
  for (auto& p : publishers_) p->broker_stopped();
  check_retained(false);
  if (random_.one_in(3)) restart_twice();
  attach_bridge();
}

// Invariant 7: recovering twice equals once.
void BrokerSim::restart_twice() {
  h_.commit_all();
  if (h_.uncommitted() > 0) return;  // the disk fails
  auto state = h_.store().table(store::Table::state), queue = h_.store().table(store::Table::queue);
  size_t sessions = h_.broker().sessions(), subscriptions = h_.broker().subscriptions();
  h_.crash();
  h_.commit_all();
  EXPECT_EQ(h_.store().table(store::Table::state), state);
  EXPECT_EQ(h_.store().table(store::Table::queue), queue);
  EXPECT_EQ(h_.broker().sessions(), sessions);
  EXPECT_EQ(h_.broker().subscriptions(), subscriptions);
  EXPECT_EQ(h_.restored().unreadable, 0u);
}

void BrokerSim::check_retained(bool exactly) {
  for (const auto& [topic, ledger] : ledgers_) {
    if (ledger.may_reorder) continue;
    MessagePtr message = h_.broker().retained().find(topic);
    int number = message ? std::stoi(message->payload.substr(2)) : 0;
    EXPECT_GE(number, ledger.retained) << topic << ": an acknowledged retained message is lost";
    if (exactly) {
      EXPECT_EQ(number, ledger.retained) << topic;
    }
  }
}

void BrokerSim::run(size_t steps) {
  for (size_t i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
    step();
    read_all();
  }
  if (testing::Test::HasFailure()) return;
  calm_down();
  if (testing::Test::HasFailure()) return;
  for (auto& s : subscribers_) s->expect_all();
  check_retained(true);
  check_bridge_queue();
  check_groups();
  check_store_is_empty();
}

void BrokerSim::calm_down() {
  for (auto& n : noises_) n->end();
  h_.store().fail_next(0, ErrorCode::io);
  h_.turn([&] { h_.broker().set_store_state({}); });
  h_.free_disk();
  h_.free_reads();
  bool done = false;
  for (int round = 0; round < 2000 && !done && !testing::Test::HasFailure(); ++round) {
    done = true;
    for (auto& s : subscribers_) {
      if (!s->is_ready()) s->connect();
    }
    for (auto& p : publishers_) {
      if (!p->is_ready()) p->connect();
    }
    read_all();
    for (auto& s : subscribers_) {
      done = done && s->is_ready() && s->is_done();
      s->answer(100);
    }
    for (auto& p : publishers_) done = done && p->is_ready() && p->is_done();
  }
  EXPECT_TRUE(done) << "it never comes to rest";
}

void BrokerSim::check_bridge_queue() {
  std::vector<store::QueueRecord> records;
  ASSERT_TRUE(h_.store().read_queue(bridge_queue, Seq{1}, Seq{UINT64_MAX}, {1'000'000, 1u << 30}, records));
  std::map<std::string, std::set<int>> seen;
  for (const store::QueueRecord& record : records) {
    std::set<int>& numbers = seen[record.message->topic];
    int number = std::stoi(record.message->payload.substr(2));
    if (!numbers.contains(number)) {
      EXPECT_TRUE(numbers.empty() || number > *numbers.rbegin()) << "bridge queue out of order";
    }
    numbers.insert(number);
  }
  for (const auto& [topic, ledger] : ledgers_) {
    if (!topic.starts_with("p0/")) continue;
    for (auto [number, qos] : ledger.taken) EXPECT_TRUE(seen["up/" + topic].contains(number)) << topic << number;
  }
}

// What was taken has reached a member of each group. In g nobody's session ends: there QoS 2 has reached exactly one.
void BrokerSim::check_groups() {
  for (std::string group : {"$share/g/#", "$share/h/#"}) {
    for (const auto& [topic, ledger] : ledgers_) {
      for (auto [number, qos] : ledger.taken) {
        auto has_it = [&, number = number, &topic = topic](const auto& s) {
          return s->is_member_of(group) && s->has_seen(topic, number);
        };
        auto members = std::count_if(subscribers_.begin(), subscribers_.end(), has_it);
        EXPECT_GE(members, 1) << group << ": " << topic << " " << number << " was acknowledged and is lost";
        if (qos == 2 && group == "$share/g/#") {
          EXPECT_EQ(members, 1) << topic << " " << number;
        }
      }
    }
  }
}

// All is delivered and acknowledged: nothing of it stays on disk, and the books of the queues are even.
void BrokerSim::check_store_is_empty() {
  for (const auto& [key, value] : h_.store().table(store::Table::queue)) {
    EXPECT_EQ(store::parse_queue_key(key)->queue, bridge_queue) << "a record stays";
  }
  auto state = h_.store().table(store::Table::state);
  for (const auto& [key, value] : state) {
    EXPECT_NE(key[0], 'I') << "an outgoing packet id stays";
    EXPECT_NE(key[0], 'R') << "an incoming packet id stays";
    EXPECT_NE(key[0], 'E') << "an estate stays";
    if (key[0] != 'L' || key == store::queue_tail_key(bridge_queue)) continue;
    auto head = store::decode_queue_head(state["H" + key.substr(1)]);
    auto tail = store::decode_queue_tail(value);
    ASSERT_TRUE(head && tail);
    EXPECT_EQ(store::size_of(*tail, *head).messages, 0u);
    EXPECT_EQ(store::size_of(*tail, *head).bytes, 0u);
    EXPECT_EQ(head->first, tail->next);
  }
}

}  // namespace tidegate::sim
