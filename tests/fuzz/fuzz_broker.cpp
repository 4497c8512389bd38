// The whole broker, fed by three clients that say anything, over a disk that commits and a power that fails when the
// input says so. Whatever they do: what comes back is packets, another client is served, and the store can be read.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "gateway/mqtt/decode.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/broker_harness.h"
#include "tests/support/packets.h"

namespace {

using namespace tidegate;
using namespace tidegate::test;

// The input, byte by byte; zeros behind its end.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(as_text(data, size)) {}
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  uint8_t byte() {
    if (rest_.empty()) return 0;
    auto first = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }
  std::string_view bytes(size_t most) {
    std::string_view taken = rest_.substr(0, most);
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view rest_;
};

class Play {
 public:
  explicit Play(Input input)
      : input_(input), harness_(limits()), bystander_(harness_.client("bystander", {.version = v5})) {
    for (const char* id : {"a", "b", "c"}) clients_.push_back(&harness_.newcomer(id));
  }

  void run() {
    for (int step = 0; step < 200 && !input_.empty(); ++step) act(*clients_[input_.byte() % clients_.size()]);
    harness_.free_disk();
    harness_.free_reads();
    expect_service();
    restart();
    size_t sessions = harness_.broker().sessions(), subscriptions = harness_.broker().subscriptions();
    restart();  // twice equals once (invariant 7)
    FUZZ_EXPECT(harness_.broker().sessions() == sessions);
    FUZZ_EXPECT(harness_.broker().subscriptions() == subscriptions);
  }

 private:
  static broker::Limits limits() {
    broker::Limits limits;
    limits.inflight_messages_max = 3;
    limits.receive_max = 5;
    limits.packet_bytes_max = 4096;
    return limits;
  }

  void act(Client& client) {
    uint8_t what = input_.byte();
    switch (what % 16) {
      case 0: connect(client); break;
      case 1: client.lose(); break;
      case 2: what & 16 ? harness_.hold_disk() : harness_.free_disk(); break;
      case 3: what & 16 ? harness_.hold_reads() : harness_.free_reads(); break;
      case 4:
        if (harness_.uncommitted() > 0) harness_.commit();
        break;
      case 5: (void)harness_.answer_read(); break;
      case 6: harness_.advance(Seconds{input_.byte()}); break;
      case 7: harness_.crash(input_.byte() % 4), bystander_.connect({.version = v5}); break;
      case 8: send(client, std::string(input_.bytes(input_.byte()))); break;
      case 9: client.subscribe(filter(), input_.byte() % 3); break;
      case 10: client.publish(topic(), "x", {.qos = input_.byte() % 3, .id = id(), .retain = (what & 16) != 0}); break;
      case 11: client.ack(mqtt::PacketType(4 + input_.byte() % 4), id()); break;
      default: send(client, row()); break;
    }
    read(client);
  }

  void connect(Client& client) {
    uint8_t how = input_.byte();
    auto version = std::array{v3, v4, v5}[how % 3];
    std::string properties;
    if (version == v5 && how & 16) properties += session_expiry(input_.byte());
    if (version == v5 && how & 32) properties += prop(mqtt::PropertyId::topic_alias_maximum, 2u) + receive_maximum(2);
    std::optional<WillOptions> will;
    if (how & 64) will = WillOptions{.topic = topic(), .qos = input_.byte() % 3};
    client.connect({.version = version, .clean = (how & 128) != 0, .will = will, .properties = properties});
  }

  void send(Client& client, std::string bytes) {
    if (client.is_open()) client.send(bytes);
  }

  // A row of the packet table, perhaps with one byte changed.
  std::string row() {
    const auto& rows = all_packets();
    std::string bytes = bytes_of(rows[(input_.byte() * 256u + input_.byte()) % rows.size()].hex);
    if (uint8_t change = input_.byte(); change & 1)
      bytes[input_.byte() % bytes.size()] = static_cast<char>(input_.byte());
    return bytes;
  }

  const char* filter() {
    static constexpr const char* filters[] = {"#", "t/+", "t/1", "$share/g/#", "$share/g/t/1", "$share/h/+/1"};
    return filters[input_.byte() % std::size(filters)];
  }
  const char* topic() { return input_.byte() % 2 ? "t/1" : "t/2"; }
  uint16_t id() { return static_cast<uint16_t>(1 + input_.byte() % 4); }

  static void read(Client& client) {
    for (const std::string& bytes : client.packets()) {
      FUZZ_EXPECT(mqtt::decode(mqtt::frame(bytes, bytes.size()), client.version()).has_value());
    }
  }

  void expect_service() {
    for (Client* client : clients_) read(*client);
    (void)bystander_.packets();
    if (!bystander_.is_open()) bystander_.connect({.version = v5}), (void)bystander_.packets();
    bystander_.ping();
    FUZZ_EXPECT(bystander_.got() == "pingresp");
  }

  void restart() {
    harness_.commit_all();
    harness_.crash();
    harness_.commit_all();
    FUZZ_EXPECT(harness_.restored().unreadable == 0);
  }

  Input input_;
  BrokerHarness harness_;
  Client& bystander_;
  std::vector<Client*> clients_;
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  GTEST_FLAG_SET(break_on_failure, true);  // of the harness
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Play(Input(data, size)).run();
  return 0;
}
