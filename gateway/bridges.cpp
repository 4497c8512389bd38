#include "gateway/bridges.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "gateway/bridge_status.h"
#include "gateway/log/log.h"
#include "gateway/settings.h"
#include "store/keys.h"
#include "store/records.h"

namespace tidegate {
namespace {

// QoS 0 messages from remotes between their threads and the core; beyond it they are dropped and counted.
constexpr uint32_t qos0_on_their_way_max = 10'000;

// The value of one key of the store, decoded; the default where there is none.
template <class Mark, class Decode>
Result<Mark> read_mark(store::Store& store, const std::string& key, Decode decode) {
  Mark mark;
  auto scanned = store.scan(key, [&](std::string_view found, std::string_view value) {
    if (found == key) mark = decode(value).value_or(Mark{});
    return false;
  });
  if (!scanned) return tl::unexpected(scanned.error());
  return mark;
}

// A damaged store may have lost the tail: nothing is ever appended below the head.
void never_below(const store::QueueHead& head, store::QueueTail& tail) {
  if (tail.next < head.first) tail = {head.first, head.bytes_out};
}

}  // namespace

struct Bridges::Line {
  BridgeId id;
  config::Bridge config;
  bridge::TopicMap map;
  QueueId out_queue, inbox_queue;
  store::QueueTail out_tail;  // committed
  store::QueueHead out_head;  // as restored
  store::QueueTail inbox_tail;
  store::QueueRemover inbox;
  std::vector<store::BridgeRule> known_rules;  // as restored
  bridge::ExchangeMarks exchanges{};           // as restored
  std::unique_ptr<bridge::Bridge> bridge{};    // none while one stops and its successor waits, or once removed
  bool stopping = false;
  bool removed = false;  // kept with its marks, which are newer than the store's, for the day it is added again
  bridge::LinkState logged_state = bridge::LinkState::stopped;
  std::string published_state{}, published_status{};
};

Bridges::Bridges(net::CoreLoop& loop, store::Store& store, store::Committer& committer)
    : loop_(loop), store_(store), committer_(committer), stopper_("tg-stopper", 1, 1000) {}

Bridges::~Bridges() {
  stop();
}

Bridges::Line* Bridges::find(BridgeId id) {
  auto found = std::find_if(lines_.begin(), lines_.end(), [&](const auto& line) { return line->id == id; });
  return found == lines_.end() ? nullptr : found->get();
}

Bridges::Line* Bridges::find(const std::string& name) {
  auto found = std::find_if(lines_.begin(), lines_.end(),
                            [&](const auto& line) { return line->config.name == name && !line->removed; });
  return found == lines_.end() ? nullptr : found->get();
}

Result<std::unique_ptr<Bridges::Line>> Bridges::make_line(const config::Bridge& config) {
  auto map = bridge::TopicMap::make(bridge_of(config).rules);
  if (!map) return tl::unexpected(map.error());
  auto out = loop_.broker().named_queue(store_, "bridge/" + config.name + "/out");
  if (!out) return tl::unexpected(out.error());
  auto inbox = loop_.broker().named_queue(store_, "bridge/" + config.name + "/in");
  if (!inbox) return tl::unexpected(inbox.error());
  auto out_tail = read_mark<store::QueueTail>(store_, store::queue_tail_key(*out), store::decode_queue_tail);
  auto out_head = read_mark<store::QueueHead>(store_, store::queue_head_key(*out), store::decode_queue_head);
  auto in_tail = read_mark<store::QueueTail>(store_, store::queue_tail_key(*inbox), store::decode_queue_tail);
  auto in_head = read_mark<store::QueueHead>(store_, store::queue_head_key(*inbox), store::decode_queue_head);
  auto rules =
      read_mark<std::vector<store::BridgeRule>>(store_, store::bridge_rules_key(*out), store::decode_bridge_rules);
  auto exchanges = bridge::read_exchanges(store_, *out, *inbox);
  if (!exchanges) return tl::unexpected(exchanges.error());
  for (const Error* error :
       {out_tail ? nullptr : &out_tail.error(), out_head ? nullptr : &out_head.error(),
        in_tail ? nullptr : &in_tail.error(), in_head ? nullptr : &in_head.error(), rules ? nullptr : &rules.error()}) {
    if (error) return tl::unexpected(*error);
  }
  never_below(*out_head, *out_tail);
  never_below(*in_head, *in_tail);
  auto line = std::unique_ptr<Line>(new Line{BridgeId{next_id_++}, config, std::move(*map), *out, *inbox, *out_tail,
                                             *out_head, *in_tail, store::QueueRemover(*inbox, *in_head),
                                             std::move(*rules), std::move(*exchanges)});
  return line;
}

std::vector<broker::BridgeRoute> Bridges::routes_of(Line& line) {
  std::vector<broker::BridgeRoute> routes;
  for (const bridge::LocalFilter& local : line.map.local_filters()) {
    const config::Rule& rule = line.config.rules[local.rule];
    auto map = [map = line.map, at = local.rule, qos = local.qos](TopicName topic) -> std::optional<std::string> {
      auto target = map.map_out(at, topic, qos, false);
      if (!target) return {};
      return std::move(target->topic);
    };
    routes.push_back({nullptr, static_cast<uint32_t>(local.rule), local.filter, local.remote, local.qos,
                      local.queue_qos0, rule.retain == config::RetainFlag::keep, std::move(map)});
  }
  return routes;
}

void Bridges::attach(Line& line) {
  auto end = std::make_unique<broker::BridgeEnd>(broker::BridgeEnd{line.id,
                                                                   store::QueueAppender(line.out_queue, line.out_tail),
                                                                   routes_of(line),
                                                                   line.known_rules,
                                                                   {},
                                                                   {},
                                                                   false,
                                                                   {}});
  end->offer_qos0 = [&line](MessagePtr message) { return line.bridge && line.bridge->offer_qos0(std::move(message)); };
  end->committed = [&line](const store::QueueTail& tail) {
    line.out_tail = tail;
    if (line.bridge) line.bridge->out_tail(tail);
  };
  loop_.broker().attach(std::move(end));
}

void Bridges::make_bridge(Line& line, const bridge::Queues& queues) {
  line.bridge = std::make_unique<bridge::Bridge>(line.id, bridge_of(line.config), store_, committer_, queues, *this);
}

// What a remote was acknowledged for and no session had yet when the gateway stopped.
Status Bridges::take_inbox(Line& line) {
  Seq from = line.inbox.head().first;
  for (;;) {
    std::vector<store::QueueRecord> records;
    if (auto read = store_.read_queue(line.inbox_queue, from, line.inbox_tail.next, {}, records); !read) return read;
    if (records.empty()) return {};
    for (const store::QueueRecord& record : records) {
      Message message = *record.message;
      message.from_bridge = line.id;
      loop_.broker().publish_from_bridge(message, &line.inbox, record.seq);
      from = Seq{record.seq.value + 1};
    }
  }
}

Status Bridges::add(const config::Bridge& config) {
  auto line = make_line(config);
  if (!line) return tl::unexpected(line.error());
  attach(**line);
  lines_.push_back(std::move(*line));
  return {};
}

Status Bridges::take_inboxes() {
  for (const auto& line : lines_) {
    if (auto taken = take_inbox(*line); !taken) return taken;
  }
  return {};
}

uint64_t Bridges::waiting() const {
  uint64_t messages = 0;
  for (const auto& line : lines_) messages += store::size_of(line->out_tail, line->out_head).messages;
  return messages;
}

void Bridges::start() {
  for (const auto& line : lines_) start(*line);
}

void Bridges::start(Line& line) {
  make_bridge(line, {line.out_queue, line.out_head, line.out_tail, line.inbox_queue, line.inbox_tail, line.exchanges});
  line.logged_state = bridge::LinkState::stopped;
  line.bridge->start();
  publish_state(line);
}

// The link ends on a thread of its own, where it is destroyed as well. What follows is decided when it has ended:
// nothing for a removed bridge, else a successor by the newest configuration, which goes on from its marks.
void Bridges::end_in_background(Line& line) {
  if (line.stopping || !line.bridge) return;
  line.stopping = true;
  auto task = [this, &line, ending = line.bridge.get()] {
    ending->stop();
    loop_.post([this, &line] { ended(line); });
  };
  if (!stopper_.post(std::move(task))) log::bridge.error("Cannot stop bridge now: bridge={}", line.config.name);
}

void Bridges::ended(Line& line) {
  bridge::Queues queues = line.bridge->final_queues();
  line.out_head = queues.out_head;
  line.inbox_tail = queues.inbox_tail;
  line.exchanges = std::move(queues.exchanges);
  std::shared_ptr<bridge::Bridge> old = std::move(line.bridge);
  line.stopping = false;
  if (!line.removed) start(line);
  (void)stopper_.post([old = std::move(old)]() mutable { old.reset(); });
}

void Bridges::add_live(const config::Bridge& config) {
  for (const auto& line : lines_) {
    if (line->config.name != config.name) continue;
    line->removed = false;
    change(config);
    if (!line->bridge) start(*line);
    return;
  }
  auto added = add(config);
  if (added) added = take_inbox(*lines_.back());
  if (!added) {
    log::bridge.error("Cannot add bridge: bridge={} error=\"{}\"; reload again", config.name, added.error().context);
    if (Line* line = find(config.name)) forget_routes(*line);
    return;
  }
  start(*lines_.back());
}

void Bridges::change(const config::Bridge& config) {
  Line* line = find(config.name);
  auto map = bridge::TopicMap::make(bridge_of(config).rules);
  if (!line || !map) return;
  bool same_topics =
      line->config.notification_topic == config.notification_topic && line->config.status_topic == config.status_topic;
  if (same_topics && config.notifications) {
    line->published_state.assign(1, '0');  // g++ 12 at -O2 warns of an overlap where "0" is assigned
    loop_.broker().publish_own(config.notification_topic, "0");
  } else {
    unpublish(*line);
  }
  line->config = config;
  line->map = std::move(*map);
  loop_.broker().replace_routes(line->id, routes_of(*line));
  end_in_background(*line);
}

// Its end in the broker stays, without rules: records on their way to the disk still move its tail.
void Bridges::forget_routes(Line& line) {
  line.removed = true;
  loop_.broker().replace_routes(line.id, {});
}

void Bridges::remove(const std::string& name) {
  Line* line = find(name);
  if (!line) return;
  uint64_t waiting = line->bridge ? line->bridge->status().queue_messages : 0;
  log::bridge.warn("Bridge removed, its queue is kept: bridge={} messages={}", name, waiting);
  forget_routes(*line);
  unpublish(*line);
  end_in_background(*line);
}

// Takes its topics back: what stands there would not be true any more.
void Bridges::unpublish(Line& line) {
  loop_.broker().publish_own(line.config.notification_topic, "");
  loop_.broker().publish_own(line.config.status_topic, "");
  line.published_state.clear();
  line.published_status.clear();
}

// Once per connection and once per outage; the tries between are for those who look closely.
void Bridges::log_state(Line& line) {
  if (!line.bridge || line.stopping) return;
  bridge::BridgeStatus status = line.bridge->status();
  log::bridge.debug("Bridge step: bridge={} state={} address={} tries={} last_error={}: {}", status.name,
                    bridge::word(status.state), status.address, status.tries, bridge::word(status.last_error.step),
                    status.last_error.text);
  if (status.state == line.logged_state || status.state == bridge::LinkState::connecting) return;
  line.logged_state = status.state;
  if (status.state == bridge::LinkState::connected) {
    log::bridge.info("Bridge connected: bridge={} address={} waiting={}", status.name, status.address,
                     status.queue_messages);
  } else if (status.state != bridge::LinkState::stopped) {
    log::bridge.warn(
        "Bridge not connected: bridge={} step={} error=\"{}\" waiting={}; messages are kept, it goes on trying",
        status.name, bridge::word(status.last_error.step), status.last_error.text, status.queue_messages);
  }
}

void Bridges::publish_state(Line& line) {
  if (!line.bridge || line.removed || line.stopping || !line.config.notifications) return;
  std::string state = line.bridge->status().state == bridge::LinkState::connected ? "1" : "0";
  if (state == line.published_state) return;
  line.published_state = state;
  loop_.broker().publish_own(line.config.notification_topic, state);
}

void Bridges::publish_status() {
  WallTime now = read_clock().wall;
  for (const auto& line : lines_) {
    if (!line->bridge || line->removed || line->stopping) continue;
    std::string status = status_json(line->bridge->status(), now);
    if (status == line->published_status) continue;
    loop_.broker().publish_own(line->config.status_topic, status);
    line->published_status = std::move(status);
  }
}

std::vector<bridge::BridgeStatus> Bridges::statuses() const {
  std::vector<bridge::BridgeStatus> statuses;
  for (const auto& line : lines_) {
    if (line->bridge && !line->removed) statuses.push_back(line->bridge->status());
  }
  return statuses;
}

void Bridges::stop() {
  std::vector<std::thread> stopping;
  for (const auto& line : lines_) {
    if (line->bridge) stopping.emplace_back([&line] { line->bridge->stop(); });
  }
  for (std::thread& thread : stopping) thread.join();
}

void Bridges::take(BridgeId id, const Message& message, Seq seq) {
  Line* line = find(id);
  if (!line) return;  // removed: the record stays in the inbox that is kept
  loop_.broker().publish_from_bridge(message, seq.value == 0 ? nullptr : &line->inbox, seq);
}

void Bridges::inbound(BridgeId id, MessagePtr message, QueueId, Seq seq) {
  bool qos0 = seq.value == 0;
  if (qos0 && qos0_on_their_way_.fetch_add(1) >= qos0_on_their_way_max) {
    --qos0_on_their_way_;
    ++qos0_dropped_;
    return;
  }
  loop_.post([this, id, message = std::move(message), seq, qos0] {
    if (qos0) --qos0_on_their_way_;
    take(id, *message, seq);
  });
}

void Bridges::state_changed(BridgeId id) {
  loop_.post([this, id] {
    Line* line = find(id);
    if (!line) return;
    log_state(*line);
    publish_state(*line);
  });
}

}  // namespace tidegate
