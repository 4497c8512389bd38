// A bridge as the broker sees it: filters, and a queue that takes what matches. The bridge itself reads that queue.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/base/ids.h"
#include "gateway/base/message.h"
#include "gateway/base/topic.h"
#include "store/queue.h"
#include "store/records.h"

namespace tidegate::broker {

struct BridgeEnd;

// An out rule.
struct BridgeRoute {
  BridgeEnd* owner = nullptr;
  uint32_t rule = 0;  // place among the bridge's rules; the first that matches sends the message, once
  TopicFilter filter;
  std::string remote;  // filter: where it leads
  Qos qos_max = Qos::at_least_once;
  bool queue_qos0 = false;  // QoS 0 messages become obligations and leave at QoS 1
  bool keep_retain = true;
  // Local to remote topic; nothing: it cannot be said there, and the message does not go.
  std::function<std::optional<std::string>(TopicName local)> map;
};

struct BridgeEnd {
  BridgeId id{};
  store::QueueAppender out;
  std::vector<BridgeRoute> routes;
  std::vector<store::BridgeRule> known_rules;  // retained messages were queued for them, as the store says
  // Takes a QoS 0 message, already mapped, while the link is up; false: dropped, and counted there.
  std::function<bool(MessagePtr remote)> offer_qos0;
  // Records up to this tail are on disk.
  std::function<void(const store::QueueTail& tail)> committed;

  bool dirty = false;
  std::deque<std::pair<BatchNumber, store::QueueTail>> uncommitted;  // tails by the batch that carries them
};

}  // namespace tidegate::broker
