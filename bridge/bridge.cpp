#include "bridge/bridge.h"

#include <algorithm>
#include <random>

#include "bridge/bridge_impl.h"
#include "bridge/paho_link.h"

namespace tidegate::bridge {
namespace {

std::function<uint64_t(uint64_t)> make_random() {
  auto engine = std::make_shared<std::mt19937_64>(std::random_device{}());
  return [engine](uint64_t n) { return std::uniform_int_distribution<uint64_t>(0, n - 1)(*engine); };
}

TopicMap checked_map(const std::vector<Rule>& rules) {
  auto map = TopicMap::make(rules);
  TIDEGATE_CHECK(map.has_value());
  return std::move(*map);
}

// QoS 2 where a rule has it and the remote's session outlives the connection, or where something is under way.
bool has_exactly_once(const Options& options, const ExchangeMarks& marks) {
  const bool wanted = std::any_of(options.rules.begin(), options.rules.end(),
                                  [](const Rule& rule) { return rule.qos == Qos::exactly_once; });
  return !options.clean_session && (wanted || !marks.up.empty() || !marks.down.empty());
}

std::vector<Seq> places(const std::vector<Exchange>& exchanges) {
  std::vector<Seq> all;
  for (const Exchange& e : exchanges) all.push_back(e.seq);
  return all;
}

// Every message in flight answers at most twice, and a connection ends at most once.
size_t events_max(const Options& options) {
  return 4 * (size_t{options.window} + options.qos0_lane_messages + 64);
}

}  // namespace

Bridge::Impl::Impl(BridgeId id, Options options, store::Store& store, store::Committer& committer, const Queues& queues,
                   BridgeHost& host, LinkFactory make_link, Resolver resolver)
    : id_(id),
      options_(std::move(options)),
      store_(store),
      committer_(committer),
      host_(host),
      out_(queues.out),
      inbox_(queues.inbox),
      map_(checked_map(options_.rules)),
      exchanges_(queues.out, queues.inbox, queues.exchanges, committer),
      exactly_once_(has_exactly_once(options_, queues.exchanges)),
      uplink_(queues.out, queues.out_head, queues.out_tail, options_.queue, places(queues.exchanges.up)),
      downlink_(id, map_, queues.inbox, queues.inbox_tail, exchanges_, committer, host),
      backoff_(options_.restart_timeout, make_random()),
      dial_(options_.addresses, options_.protocol_version),
      events_(events_max(options_), [this] { wake(); }) {
  TIDEGATE_CHECK(id.value != 0 && !options_.addresses.empty());
  for (const Address& a : options_.addresses) {
    if (!is_numeric_address(a.host)) pins_.push_back(std::make_unique<PinnedName>(a.host));
  }
  lookup_ =
      std::make_unique<NameLookup>(resolver ? std::move(resolver) : Resolver(resolve_by_system), [this] { wake(); });
  link_ = make_link ? make_link(*this) : make_paho_link(*this);
  shared_.tail = queues.out_tail;
  const Now now = read_clock();
  status_.name = options_.name;
  status_.since = status_.down_since = status_.counting_since = now.wall;
  publish_status(now);
}

Bridge::Impl::~Impl() {
  stop();
  link_.reset();  // its events end before what they use
  lookup_.reset();
}

void Bridge::Impl::start() {
  TIDEGATE_CHECK(!thread_.joinable());
  if (options_.start_type == StartType::automatic) {
    phase_ = Phase::waiting;
    deadline_ = Instant{};
  }
  thread_ = std::thread([this] { run(); });
}

void Bridge::Impl::stop() {
  std::lock_guard once(stop_mutex_);
  {
    std::lock_guard lock(mutex_);
    shared_.stop = shared_.woken = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  stopped_ = true;
}

void Bridge::Impl::wake() {
  {
    std::lock_guard lock(mutex_);
    if (shared_.woken) return;
    shared_.woken = true;
  }
  wake_.notify_one();
}

void Bridge::Impl::out_tail(const store::QueueTail& committed) {
  {
    std::lock_guard lock(mutex_);
    if (committed.next <= shared_.tail.next) return;
    shared_.tail = committed;
  }
  wake();
}

bool Bridge::Impl::offer_qos0(MessagePtr message) {
  if (!up_) {
    ++lane_link_down_;
    return false;
  }
  {
    std::lock_guard lock(mutex_);
    const uint64_t bytes = counted_bytes(*message);
    if (shared_.lane.size() >= options_.qos0_lane_messages || shared_.lane_bytes + bytes > options_.qos0_lane_bytes) {
      ++lane_full_;
      return false;
    }
    shared_.lane_bytes += bytes;
    shared_.lane.push_back(std::move(message));
  }
  wake();
  return true;
}

void Bridge::Impl::connect_now() {
  {
    std::lock_guard lock(mutex_);
    shared_.connect_now = true;
  }
  wake();
}

Queues Bridge::Impl::final_queues() const {
  TIDEGATE_CHECK(stopped_);
  Queues queues;
  queues.out = out_;
  queues.out_head = uplink_.head();
  queues.out_tail = uplink_.committed_tail();
  queues.inbox = inbox_;
  queues.inbox_tail = downlink_.tail();
  queues.exchanges = exchanges_.marks();
  return queues;
}

// --- the link's threads: hand over and return -----------------------------------------------------------

void Bridge::Impl::post(Event event) {
  TIDEGATE_CHECK(events_.push(std::move(event)));
}

void Bridge::Impl::connected(const Granted& granted) {
  Event e;
  e.kind = Event::Kind::connected;
  e.granted = granted;
  post(std::move(e));
}

void Bridge::Impl::connect_failed(LinkFailure failure) {
  Event e;
  e.kind = Event::Kind::connect_failed;
  e.failure = std::move(failure);
  post(std::move(e));
}

void Bridge::Impl::lost(LinkFailure failure) {
  Event e;
  e.kind = Event::Kind::lost;
  e.failure = std::move(failure);
  post(std::move(e));
}

void Bridge::Impl::acknowledged(LinkToken token) {
  Event e;
  e.kind = Event::Kind::acknowledged;
  e.token = token;
  post(std::move(e));
}

void Bridge::Impl::rejected(LinkToken token, int code, std::string text) {
  Event e;
  e.kind = Event::Kind::rejected;
  e.token = token;
  e.code = code;
  e.text = std::move(text);
  post(std::move(e));
}

void Bridge::Impl::subscribed(std::vector<int> codes) {
  Event e;
  e.kind = Event::Kind::subscribed;
  e.codes = std::move(codes);
  post(std::move(e));
}

bool Bridge::Impl::message(Message remote, uint16_t packet_id) {
  return downlink_.message(std::move(remote), packet_id, read_clock());
}

// --- the public face ------------------------------------------------------------------------------------

Bridge::Bridge(BridgeId id, Options options, store::Store& store, store::Committer& committer, Queues queues,
               BridgeHost& host, LinkFactory make_link, Resolver resolver)
    : impl_(std::make_unique<Impl>(id, std::move(options), store, committer, queues, host, std::move(make_link),
                                   std::move(resolver))) {}
Bridge::~Bridge() = default;

void Bridge::start() {
  impl_->start();
}
void Bridge::stop() {
  impl_->stop();
}
void Bridge::out_tail(const store::QueueTail& committed) {
  impl_->out_tail(committed);
}
bool Bridge::offer_qos0(MessagePtr remote_message) {
  return impl_->offer_qos0(std::move(remote_message));
}
void Bridge::connect_now() {
  impl_->connect_now();
}
BridgeStatus Bridge::status() const {
  return impl_->status();
}
BridgeId Bridge::id() const {
  return impl_->id_;
}
const Options& Bridge::options() const {
  return impl_->options_;
}
Queues Bridge::final_queues() const {
  return impl_->final_queues();
}

}  // namespace tidegate::bridge
