#include "tests/sim/books.h"

#include <algorithm>

#include "store/keys.h"
#include "tests/sim/deliveries.h"
#include "tests/sim/topic_rules.h"

namespace tidegate::sim {
namespace {

constexpr QueueId bridge_queue{1'000'000};
const std::string bridged = "s/a/#";

}  // namespace

std::unique_ptr<broker::BridgeEnd> bridge_of(store::MemoryStore& store) {
  store::QueueTail tail;
  std::vector<store::BridgeRule> rules;
  auto table = store.table(store::Table::state);
  if (auto found = table.find(store::queue_tail_key(bridge_queue)); found != table.end()) {
    tail = *store::decode_queue_tail(found->second);
  }
  if (auto found = table.find(store::bridge_rules_key(bridge_queue)); found != table.end()) {
    rules = *store::decode_bridge_rules(found->second);
  }
  auto bridge = std::make_unique<broker::BridgeEnd>(
      broker::BridgeEnd{BridgeId{1}, store::QueueAppender(bridge_queue, tail), {}, rules, {}, {}, false, {}});
  bridge->offer_qos0 = [](MessagePtr) { return true; };
  bridge->committed = [](const store::QueueTail&) {};
  broker::BridgeRoute route{nullptr, 0, *TopicFilter::parse(bridged), "up/" + bridged, Qos::at_least_once, false,
                            true,    {}};
  route.map = [](TopicName local) { return std::optional("up/" + std::string(local.text())); };
  bridge->routes.push_back(std::move(route));
  return bridge;
}

void check_bridge_queue(World& world) {
  std::vector<store::QueueRecord> records;
  (void)world.h.store().read_queue(bridge_queue, Seq{1}, Seq{UINT64_MAX}, {1'000'000, 1u << 30}, records);
  std::map<std::string, const Message*> by_content;  // empty payloads are all alike
  for (const Message& message : world.messages) {
    if (!message.payload.empty()) by_content[message.topic + ' ' + message.payload] = &message;
  }
  std::set<const Message*> seen;
  std::map<std::string, int> newest;  // place, by publisher and topic
  for (const store::QueueRecord& record : records) {
    auto found = by_content.find(record.message->topic.substr(3) + ' ' + record.message->payload);
    if (found == by_content.end() || !seen.insert(found->second).second) continue;
    const Message& message = *found->second;
    int& before = newest[message.publisher + ' ' + message.topic];
    if (message.latest_place < before) world.fault("bridge: out of order is " + words(message));
    before = std::max(before, message.first_place);
  }
  for (const Message& message : world.messages) {
    bool owed = message.acknowledged && !message.payload.empty() && matches(bridged, message.topic);
    if (owed && !seen.contains(&message)) world.fault("bridge: lost is " + words(message));
  }
}

void check_store_is_empty(World& world) {
  for (const auto& [key, value] : world.h.store().table(store::Table::queue)) {
    if (store::parse_queue_key(key)->queue != bridge_queue) world.fault("store: a record stays");
  }
  auto state = world.h.store().table(store::Table::state);
  for (const auto& [key, value] : state) {
    // Packet ids going out and coming in, and what ended sessions have left.
    if (std::string_view("IRE").find(key[0]) != std::string_view::npos) world.fault("store: stays " + key.substr(0, 1));
    if (key[0] != 'L' || key == store::queue_tail_key(bridge_queue)) continue;
    auto head = store::decode_queue_head(state["H" + key.substr(1)]);
    auto tail = store::decode_queue_tail(value);
    bool even = head && tail && head->first == tail->next && store::size_of(*tail, *head).messages == 0 &&
                store::size_of(*tail, *head).bytes == 0;
    if (!even) world.fault("store: the books of a queue are not even");
  }
}

}  // namespace tidegate::sim
