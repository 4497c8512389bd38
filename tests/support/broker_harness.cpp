#include "tests/support/broker_harness.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gateway/mqtt/decode.h"
#include "gateway/mqtt/encode.h"

namespace tidegate::test {

using mqtt::PropertyId;

std::string prop(PropertyId id, uint32_t value) {
  std::string out;
  mqtt::PropertyWriter(out).integer(id, value);
  return out;
}
std::string prop(PropertyId id, std::string_view value) {
  std::string out;
  mqtt::PropertyWriter(out).text(id, value);
  return out;
}
std::string session_expiry(uint32_t seconds) {
  return prop(PropertyId::session_expiry_interval, seconds);
}
std::string message_expiry(uint32_t seconds) {
  return prop(PropertyId::message_expiry_interval, seconds);
}
std::string receive_maximum(uint32_t messages) {
  return prop(PropertyId::receive_maximum, messages);
}

// --- the surroundings ---------------------------------------------------------------------------------

broker::OutBuffer* FakeOutput::buffer(ConnId conn) {
  auto found = connections_.find(conn);
  return found == connections_.end() || found->second.closed ? nullptr : &found->second.buffer;
}

uint64_t FakeOutput::unsent_bytes(ConnId conn) {
  auto found = connections_.find(conn);
  uint64_t gathered = found == connections_.end() ? 0 : found->second.buffer.bytes();
  return gathered + (unsent.contains(conn) ? unsent[conn] : 0);
}

void FakeOutput::close(ConnId conn) {
  auto found = connections_.find(conn);
  if (found == connections_.end() || found->second.closed) {
    ADD_FAILURE() << "the broker closes a connection that is gone";
    return;
  }
  found->second.closed = true;
}

void FakeOutput::check_credentials(ConnId conn, std::string_view username, std::string_view password) {
  checks.push_back({conn, std::string(username), std::string(password)});
}

void FakeOutput::read_queue(QueueId queue, Seq from, Seq end, store::ReadLimit limit) {
  for (const Read& read : reads) EXPECT_NE(read.queue, queue) << "two reads of one queue at a time";
  reads.push_back({queue, from, end, limit});
}

bool FakeOutput::is_open(ConnId conn) const {
  auto found = connections_.find(conn);
  return found != connections_.end() && !found->second.closed;
}

bool FakeOutput::is_closed(ConnId conn) const {
  auto found = connections_.find(conn);
  return found != connections_.end() && found->second.closed;
}

std::string FakeOutput::take(ConnId conn) {
  auto found = connections_.find(conn);
  if (found == connections_.end()) return {};
  broker::OutBuffer& buffer = found->second.buffer;
  std::string bytes;
  size_t done = 0;
  for (const broker::OutBuffer::Shared& shared : buffer.shared()) {
    bytes.append(buffer.own(), done, shared.after - done).append(shared.message->payload);
    done = shared.after;
  }
  bytes.append(buffer.own(), done);
  EXPECT_EQ(bytes.size(), buffer.bytes());
  buffer.clear();
  return bytes;
}

// --- a client ------------------------------------------------------------------------------------------

template <class P>
void Client::send_packet(const P& packet) {
  std::string bytes;
  if constexpr (requires { mqtt::encode(packet, version_, bytes); }) {
    mqtt::encode(packet, version_, bytes);
  } else {
    mqtt::encode(packet, bytes);
  }
  if (harness_.trace) harness_.tell(id_ + " -> " + describe(packet));
  send(bytes);
}

void Client::open() {
  conn_ = harness_.next_connection(*this);
  input_.clear();
  held_ = false;
  told_closed_ = false;
  harness_.turn([&] { harness_.broker().opened(conn_, harness_.listener, "peer:1"); });
}

void Client::connect(const ConnectOptions& options) {
  version_ = options.version;
  open();
  if (!options.identity.empty()) {
    harness_.turn([&] { harness_.broker().introduce(conn_, "", options.identity); });
  }
  mqtt::Connect packet;
  packet.version = options.version;
  packet.bridge = options.bridge;
  packet.clean_start = options.clean;
  packet.keep_alive_seconds = options.keep_alive;
  packet.client_id = id_;
  packet.properties = mqtt::Properties::of_valid_wire(options.properties);
  if (options.will) {
    packet.will = mqtt::Will{options.will->topic, options.will->payload, Qos(options.will->qos), options.will->retain,
                             mqtt::Properties::of_valid_wire(options.will->properties)};
  }
  if (options.username) packet.username = *options.username;
  if (options.password) packet.password = *options.password;
  send_packet(packet);
}

void Client::send(std::string_view bytes) {
  input_.append(bytes);
  harness_.turn([&] { feed(); });
}

void Client::feed() {
  while (!held_ && !input_.empty() && harness_.out().is_open(conn_)) {
    mqtt::Frame frame = mqtt::frame(input_, harness_.limits.packet_bytes_max);
    if (frame.state == mqtt::Frame::State::incomplete) return harness_.broker().begun(conn_, input_);
    uint64_t refused = harness_.counters().refused_store;
    held_ = harness_.broker().packet(conn_, frame) == broker::Taken::not_now;
    if (held_) return;
    harness_.watch(*this, frame, harness_.counters().refused_store != refused);
    if (frame.state != mqtt::Frame::State::complete) return input_.clear();
    input_.erase(0, frame.size);
  }
}

void Client::publish(std::string_view topic, std::string_view payload, const PublishOptions& options) {
  mqtt::Publish packet{topic,
                       payload,
                       Qos(options.qos),
                       options.dup,
                       options.retain,
                       options.qos ? options.id : mqtt::PacketId{0},
                       mqtt::Properties::of_valid_wire(options.properties)};
  send_packet(packet);
}

void Client::subscribe(std::string_view filter, int qos, const SubscribeOptions& options) {
  std::string properties;
  if (options.subscription_id != 0) properties = prop(PropertyId::subscription_identifier, options.subscription_id);
  mqtt::SubscribeOptions wire{Qos(qos), options.no_local, options.retain_as_published, options.retain_handling};
  send_packet(mqtt::Subscribe{options.id, {{filter, wire}}, mqtt::Properties::of_valid_wire(properties)});
}

void Client::subscribe(const std::vector<std::string_view>& filters) {
  mqtt::Subscribe packet{1, {}, {}};
  for (std::string_view filter : filters) packet.entries.push_back({filter, {}});
  send_packet(packet);
}

void Client::unsubscribe(std::string_view filter, uint16_t id) {
  send_packet(mqtt::Unsubscribe{id, {filter}, {}});
}

void Client::ack(mqtt::PacketType type, uint16_t id, mqtt::ReasonCode reason) {
  send_packet(mqtt::Ack{type, id, reason, {}});
}

void Client::ping() {
  send_packet(mqtt::Pingreq{});
}

void Client::disconnect(mqtt::ReasonCode reason, std::string_view properties) {
  send_packet(mqtt::Disconnect{reason, mqtt::Properties::of_valid_wire(properties)});
}

void Client::lose() {
  if (!is_open()) return;
  harness_.tell(id_ + " lost");
  harness_.out().lose(conn_);
  harness_.turn([&] { harness_.broker().closed(conn_, "lost"); });
}

bool Client::is_open() const {
  return harness_.out().is_open(conn_);
}

std::vector<std::string> Client::packets() {
  std::string bytes = harness_.out().take(conn_);
  if (held_) harness_.feed_again(*this);
  std::vector<std::string> all;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    mqtt::Frame frame = mqtt::frame(rest, 1u << 28);
    if (frame.state != mqtt::Frame::State::complete) {
      ADD_FAILURE() << "the broker wrote half a packet";
      break;
    }
    if (harness_.trace) {
      if (auto packet = mqtt::decode(frame, version_)) harness_.tell(id_ + " <- " + describe(*packet));
    }
    all.emplace_back(rest.substr(0, frame.size));
    rest.remove_prefix(frame.size);
  }
  return all;
}

std::string Client::got() {
  std::string text;
  for (const std::string& bytes : packets()) {
    auto packet = mqtt::decode(mqtt::frame(bytes, bytes.size()), version_);
    if (!packet) {
      ADD_FAILURE() << "the broker wrote what is no packet: " << packet.error().what;
      continue;
    }
    if (auto* connack = std::get_if<mqtt::Connack>(&*packet)) connack_properties_ = connack->properties.wire();
    text.append(text.empty() ? "" : ", ").append(describe(*packet));
  }
  if (harness_.out().is_closed(conn_) && !std::exchange(told_closed_, true)) {
    text.append(text.empty() ? "" : ", ").append("closed");
  }
  return text;
}

// --- the harness ---------------------------------------------------------------------------------------

class BrokerHarness::Events final : public broker::Events {
 public:
  explicit Events(BrokerHarness& harness) : harness_(harness) {}

 private:
  void client_connected(std::string_view client_id, std::string_view, std::string_view) override {
    if (harness_.watcher) harness_.watcher->connected(client_id);
  }
  void client_disconnected(std::string_view client_id, std::string_view, std::string_view why) override {
    if (harness_.watcher) harness_.watcher->disconnected(client_id, why);
  }
  void client_refused(std::string_view, std::string_view, std::string_view why) override { harness_.refused_ = why; }

  BrokerHarness& harness_;
};

BrokerHarness::BrokerHarness(const broker::Limits& broker_limits)
    : limits(broker_limits), events_(std::make_unique<Events>(*this)), store_(std::make_unique<store::MemoryStore>()) {
  listener.name = "test";
  listener.allow_anonymous = true;
  now = {Instant{Millis{1'000'000}}, WallTime{Millis{1'700'000'000'000}}};
  start();
}

BrokerHarness::~BrokerHarness() = default;

void BrokerHarness::start() {
  listener.limits = limits;
  newest_sealed_ = newest_committed_ = {};
  broker_ = std::make_unique<broker::Broker>(limits, out_, *events_);
  turn([&] {
    auto restored = broker_->restore(*store_);
    ASSERT_TRUE(restored);
    restored_ = *restored;
  });
  if (restored_state) restored_state();
  turn([&] { broker_->fire_restored_wills(); });
}

Client& BrokerHarness::newcomer(std::string id) {
  return clients_.emplace_back(*this, std::move(id));
}

Client& BrokerHarness::client(std::string id, const ConnectOptions& options) {
  Client& client = newcomer(std::move(id));
  client.connect(options);
  EXPECT_EQ(client.got(), "connack 0");
  return client;
}

void BrokerHarness::watch(Client& client, const mqtt::Frame& frame, bool refused) {
  if (!watcher || mqtt::type_of(frame.first) == mqtt::PacketType::connect) return;
  if (auto packet = mqtt::decode(frame, client.version_)) watcher->taken(client, *packet, refused);
}

// A slot whose connection is gone is used again, with the next generation.
ConnId BrokerHarness::next_connection(Client& client) {
  uint32_t slot = 0;
  while (slot < generations_.size() && (out_.is_open({slot, generations_[slot]}) ||
                                        (client.conn_ && client.conn_ == ConnId{slot, generations_[slot]}))) {
    ++slot;
  }
  if (slot == generations_.size()) generations_.push_back(0);
  ConnId id{slot, ++generations_[slot]};
  out_.open(id);
  return id;
}

void BrokerHarness::turn(const std::function<void()>& work) {
  TIDEGATE_CHECK(!in_turn_);
  in_turn_ = true;
  broker_->begin_turn(now);
  work();
  seal();
  in_turn_ = false;
  settle();
}

void BrokerHarness::seal() {
  auto number = broker_->seal();
  if (!number) return;
  tell("sealed " + std::to_string(number->value));
  newest_sealed_ = *number;
  sealed_.push_back({*number, broker_->batch()});
  broker_->batch().clear();
}

void BrokerHarness::settle() {
  for (bool again = true; again;) {
    again = feed_resumed();
    for (ConnId conn : std::exchange(out_.authenticating, {})) {
      again = true;
      broker_->begin_turn(now);
      broker_->may_authenticate(conn);
      seal();
    }
    if (auto_commit_ && !sealed_.empty() && commit_oldest()) again = true;
    if (auto_read_ && answer_oldest_read()) again = true;
  }
}

bool BrokerHarness::feed_resumed() {
  if (out_.resumed.empty()) return false;
  std::vector<ConnId> resumed = std::exchange(out_.resumed, {});
  broker_->begin_turn(now);
  for (Client& client : clients_) {
    if (std::find(resumed.begin(), resumed.end(), client.conn_) == resumed.end()) continue;
    client.held_ = false;
    client.feed();
  }
  seal();
  return true;
}

void BrokerHarness::feed_again(const Client& client) {
  out_.resume(client.conn_);
  settle();
}

bool BrokerHarness::commit_oldest() {
  Sealed oldest = std::move(sealed_.front());
  const store::Batch* all[] = {&oldest.batch};
  if (!store_->write(all, true)) {  // as the committer does: it is tried again later
    sealed_.front() = std::move(oldest);
    return false;
  }
  sealed_.pop_front();
  newest_committed_ = oldest.number;
  tell("committed " + std::to_string(oldest.number.value));
  broker_->begin_turn(now);
  broker_->committed(oldest.number);
  seal();
  return true;
}

void BrokerHarness::commit() {
  TIDEGATE_CHECK(!sealed_.empty());
  (void)commit_oldest();
  settle();
}

void BrokerHarness::commit_all() {
  while (!sealed_.empty() && commit_oldest()) continue;
  settle();
}

void BrokerHarness::free_disk() {
  auto_commit_ = true;
  settle();
}

void BrokerHarness::free_reads() {
  auto_read_ = true;
  settle();
}

bool BrokerHarness::answer_read() {
  bool answered = answer_oldest_read();
  settle();
  return answered;
}

bool BrokerHarness::answer_oldest_read() {
  if (out_.reads.empty()) return false;
  FakeOutput::Read read = out_.reads.front();
  out_.reads.pop_front();
  std::vector<store::QueueRecord> records;
  EXPECT_TRUE(store_->read_queue(read.queue, read.from, read.end, read.limit, records));
  tell("read queue " + std::to_string(read.queue.value) + " from " + std::to_string(read.from.value) + ": " +
       std::to_string(records.size()));
  broker_->begin_turn(now);
  broker_->records_read(read.queue, read.from, records);
  seal();
  return true;
}

void BrokerHarness::crash(size_t written) {
  tell("crash, " + std::to_string(written) + " batches of " + std::to_string(sealed_.size()) + " written");
  for (size_t i = 0; i < std::min(written, sealed_.size()); ++i) {
    const store::Batch* all[] = {&sealed_[i].batch};
    if (!store_->write(all, true)) break;
  }
  sealed_.clear();
  out_.lose_all();
  out_.reads.clear();
  out_.resumed.clear();
  out_.checks.clear();
  out_.authenticating.clear();
  start();
}

void BrokerHarness::check_credentials(bool right) {
  TIDEGATE_CHECK(!out_.checks.empty());
  FakeOutput::Check check = out_.checks.front();
  out_.checks.erase(out_.checks.begin());
  turn([&] { broker_->credentials_checked(check.conn, right); });
}

void BrokerHarness::apply_limits() {
  listener.limits = limits;
  turn([&] { broker_->set_limits(limits); });
}

void BrokerHarness::advance(Millis time) {
  now.mono = now.mono + time;
  now.wall = now.wall + time;
  turn([&] { broker_->run_deadlines(); });
}

}  // namespace tidegate::test
