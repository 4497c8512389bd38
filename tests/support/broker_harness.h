// A broker in a test: raw MQTT in and out, a disk that commits when told, time by assignment.
//
// A test is a conversation. Clients speak bytes through the codec; what came back is read as a line of text:
//   Client& a = h.client("a");
//   a.publish("t", "x", {.qos = 1, .id = 7});
//   EXPECT_EQ(a.got(), "puback #7");
// By default every batch is committed and every read answered at once; hold_disk() and hold_reads() put that into the
// test's hands. crash() forgets what was not committed and starts a new broker from the store.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/broker/broker.h"
#include "gateway/mqtt/packet.h"
#include "store/memory_store.h"

namespace tidegate::test {

inline constexpr mqtt::Version v3 = mqtt::Version::v3_1, v4 = mqtt::Version::v3_1_1, v5 = mqtt::Version::v5;
inline constexpr uint32_t forever = 0xFFFFFFFF;

// 5.0 properties in wire form; join them with +.
[[nodiscard]] std::string prop(mqtt::PropertyId id, uint32_t value);
[[nodiscard]] std::string prop(mqtt::PropertyId id, std::string_view value);
[[nodiscard]] std::string session_expiry(uint32_t seconds);
[[nodiscard]] std::string message_expiry(uint32_t seconds);
[[nodiscard]] std::string receive_maximum(uint32_t messages);

// One packet as text: "publish a/b=x q1 #1 dup retain expiry=9 ids=1,2", "puback #1 0x97", "suback #1 00 80".
[[nodiscard]] std::string describe(const mqtt::Packet& packet);

// The surroundings: buffers by connection, and everything that the broker asked for.
class FakeOutput final : public broker::Output {
 public:
  struct Read {
    QueueId queue;
    Seq from, end;
    store::ReadLimit limit;
  };
  struct Check {
    ConnId conn;
    std::string username, password;
  };

  broker::OutBuffer* buffer(ConnId conn) override;
  uint64_t unsent_bytes(ConnId conn) override;  // what was not taken by a test, and `unsent`
  void close(ConnId conn) override;
  void resume(ConnId conn) override { resumed.push_back(conn); }
  void check_credentials(ConnId conn, std::string_view username, std::string_view password) override;
  void ask_to_authenticate(ConnId conn) override { authenticating.push_back(conn); }
  void authentication_failed(ConnId) override { ++authentications_failed; }
  void read_queue(QueueId queue, Seq from, Seq end, store::ReadLimit limit) override;

  void open(ConnId conn) { connections_[conn]; }
  void lose(ConnId conn) { connections_.erase(conn); }
  void lose_all() { connections_.clear(); }
  [[nodiscard]] bool is_open(ConnId conn) const;    // neither closed by the broker nor lost
  [[nodiscard]] bool is_closed(ConnId conn) const;  // by the broker
  [[nodiscard]] std::string take(ConnId conn);      // what was written since the last call

  std::map<ConnId, uint64_t> unsent;
  std::vector<ConnId> resumed;
  std::vector<Check> checks;
  std::vector<ConnId> authenticating;  // who may authenticate at once, as the harness settles
  int authentications_failed = 0;
  std::deque<Read> reads;

 private:
  struct Side {
    broker::OutBuffer buffer;
    bool closed = false;
  };
  std::map<ConnId, Side> connections_;
};

struct WillOptions {
  std::string topic = "will";
  std::string payload = "gone";
  int qos = 0;
  bool retain = false;
  std::string properties = {};
};

struct ConnectOptions {
  mqtt::Version version = v4;
  bool clean = true;
  uint16_t keep_alive = 0;
  std::optional<WillOptions> will = {};
  std::optional<std::string> username = {};
  std::optional<std::string> password = {};
  std::string identity = {};  // the user that the transport names
  bool bridge = false;        // protocol level with the bridge bit
  std::string properties = {};
};

struct PublishOptions {
  int qos = 0;
  uint16_t id = 1;
  bool retain = false;
  bool dup = false;
  std::string properties = {};
};

struct SubscribeOptions {
  bool no_local = false;
  bool retain_as_published = false;
  mqtt::RetainHandling retain_handling = mqtt::RetainHandling::send;
  uint32_t subscription_id = 0;
  uint16_t id = 1;
};

class BrokerHarness;
class Client;

// Told of what the broker does with clients, in the order in which it does it.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void connected(std::string_view client_id) = 0;  // CONNECT is accepted; CONNACK may wait for the disk
  virtual void disconnected(std::string_view client_id, std::string_view why) = 0;
  // Any packet after CONNECT. `refused`: because of the store.
  virtual void taken(Client& client, const mqtt::Packet& packet, bool refused) = 0;
};

class Client {
 public:
  Client(BrokerHarness& harness, std::string id) : harness_(harness), id_(std::move(id)) {}

  // Opens a connection and sends CONNECT. Called again: a new connection, and the one before is left as it is.
  void connect(const ConnectOptions& options);
  void open();                                                      // a connection alone
  void open(mqtt::Version version) { version_ = version, open(); }  // in which answers are read
  void send(std::string_view bytes);                                // in a turn of its own
  void publish(std::string_view topic, std::string_view payload, const PublishOptions& options = {});
  void subscribe(std::string_view filter, int qos, const SubscribeOptions& options = {});
  void subscribe(const std::vector<std::string_view>& filters);  // QoS 0, in one packet
  void unsubscribe(std::string_view filter, uint16_t id = 1);
  void puback(uint16_t id) { ack(mqtt::PacketType::puback, id); }
  void pubrec(uint16_t id) { ack(mqtt::PacketType::pubrec, id); }
  void pubrel(uint16_t id) { ack(mqtt::PacketType::pubrel, id); }
  void pubcomp(uint16_t id) { ack(mqtt::PacketType::pubcomp, id); }
  void ack(mqtt::PacketType type, uint16_t id, mqtt::ReasonCode reason = mqtt::ReasonCode::success);
  void ping();
  void disconnect(mqtt::ReasonCode reason = mqtt::ReasonCode::success, std::string_view properties = {});
  void lose();  // the socket dies

  // Everything that came since the last call, as text joined by ", "; "closed" last, once, if the broker closed.
  [[nodiscard]] std::string got();
  // The same as whole packets in bytes.
  [[nodiscard]] std::vector<std::string> packets();
  // The properties of the newest CONNACK read by got().
  [[nodiscard]] mqtt::Properties connack() const { return mqtt::Properties::of_valid_wire(connack_properties_); }

  [[nodiscard]] bool is_open() const;
  [[nodiscard]] bool is_held() const { return held_; }  // its packet waits for the store
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] ConnId conn() const { return conn_; }
  [[nodiscard]] mqtt::Version version() const { return version_; }

 private:
  friend class BrokerHarness;
  template <class P>
  void send_packet(const P& packet);
  void feed();  // REQUIRES: a turn

  BrokerHarness& harness_;
  std::string id_;
  ConnId conn_;
  mqtt::Version version_ = v4;
  std::string input_;  // not taken by the broker yet
  bool held_ = false;  // the first packet of it was answered with not_now
  bool told_closed_ = false;
  std::string connack_properties_;
};

class BrokerHarness {
 public:
  explicit BrokerHarness(const broker::Limits& broker_limits = {});
  ~BrokerHarness();

  // A client that is connected and has read its CONNACK; the test fails if that is not a plain acceptance.
  Client& client(std::string id, const ConnectOptions& options = {});
  Client& newcomer(std::string id);  // not connected yet

  // Runs `work` as one turn: time is set, the batch is sealed behind it.
  void turn(const std::function<void()>& work);
  void advance(Millis time);  // and runs the deadlines
  void apply_limits();        // `limits` as they are now, to the broker and to the listener

  void hold_disk() { auto_commit_ = false; }
  void hold_reads() { auto_read_ = false; }
  // From here on at once again, what waits included.
  void free_disk();
  void free_reads();
  void commit();  // the oldest batch; REQUIRES: there is one
  void commit_all();
  bool answer_read();  // the oldest; false: there is none
  // The power goes: uncommitted batches and all connections are gone. A new broker starts from the store. The oldest
  // `written` batches reached the disk, and nobody has heard of it.
  void crash(size_t written = 0);
  void check_credentials(bool right);  // answers the oldest check

  [[nodiscard]] const std::string& refused() const { return refused_; }  // why the newest refusal was one
  [[nodiscard]] size_t uncommitted() const { return sealed_.size(); }
  // Numbers of batches: what happens now goes into the open one, and is on disk once that is committed.
  [[nodiscard]] BatchNumber open_batch() const { return {newest_sealed_.value + 1}; }
  [[nodiscard]] BatchNumber committed_batch() const { return newest_committed_; }
  [[nodiscard]] broker::Broker& broker() { return *broker_; }
  [[nodiscard]] const broker::Counters& counters() const { return broker_->counters(); }
  [[nodiscard]] const broker::Restored& restored() const { return restored_; }
  [[nodiscard]] store::MemoryStore& store() { return *store_; }
  void use_store(std::unique_ptr<store::MemoryStore> store) { store_ = std::move(store); }
  [[nodiscard]] FakeOutput& out() { return out_; }
  // Records in the queues of all sessions and bridges, on disk.
  [[nodiscard]] size_t records_on_disk() const { return store_->table(store::Table::queue).size(); }

  // Called at each start, between what the store says and the wills that it held: the place to attach bridges.
  std::function<void()> restored_state;

  Watcher* watcher = nullptr;

  // Told everything that happens, one line each: for reading a failed run.
  std::function<void(const std::string& line)> trace;

  broker::Limits limits;
  broker::ListenerPolicy listener;
  Now now;

 private:
  friend class Client;
  ConnId next_connection(Client& client);
  void watch(Client& client, const mqtt::Frame& frame, bool refused);
  void start();
  void tell(const std::string& line) const {
    if (trace) trace(line);
  }
  void seal();
  void settle();  // commits, answers and feeds until nothing is left of what is automatic
  bool feed_resumed();
  void feed_again(const Client& client);  // as a connection does whose output has been read
  bool commit_oldest();                   // false: the store failed, and the batch stays
  bool answer_oldest_read();

  std::string refused_;
  class Events;
  std::unique_ptr<Events> events_;
  FakeOutput out_;
  std::unique_ptr<store::MemoryStore> store_;
  std::unique_ptr<broker::Broker> broker_;
  broker::Restored restored_;
  struct Sealed {
    BatchNumber number;
    store::Batch batch;
  };
  std::deque<Sealed> sealed_;
  BatchNumber newest_sealed_{0};
  BatchNumber newest_committed_{0};
  std::deque<Client> clients_;
  std::vector<uint32_t> generations_;
  bool auto_commit_ = true;
  bool auto_read_ = true;
  bool in_turn_ = false;
};

}  // namespace tidegate::test
