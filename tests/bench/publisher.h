// One publishing client: numbers its messages, keeps its window, and knows which are acknowledged.
#pragma once

#include <deque>
#include <set>
#include <string>
#include <vector>

#include "tests/bench/client.h"
#include "tests/bench/options.h"
#include "tests/bench/traffic.h"

namespace bench {

class Publisher final : public Client::Events {
 public:
  Publisher(Loop& loop, Traffic& traffic, const LoadOptions& options, uint32_t index);

  void open(const Address& address) { client_.open(address); }
  void close() { client_.close(); }
  // Writes what may be written now, at most one coalesced write. Returns true where more could follow at once.
  bool pump(Time now);
  // When the next message is due; Time::max() where something else than time is waited for.
  [[nodiscard]] Time next_due() const;

  // All is sent and, at QoS 1 and 2, acknowledged.
  [[nodiscard]] bool done() const;
  [[nodiscard]] bool up() const { return client_.up(); }
  [[nodiscard]] bool open() const { return client_.open(); }
  [[nodiscard]] uint64_t sequence_end() const { return next_sequence_; }
  // Messages whose fate the broker left open, by sequence number.
  [[nodiscard]] std::set<uint64_t> open_sequences() const;

 private:
  void on_up(Client& client, const Connack& connack) override;
  void on_ack(Client& client, PacketType type, const Ack& ack) override;
  void on_down(Client& client, const std::string& why) override;

  [[nodiscard]] bool has_more() const;
  [[nodiscard]] bool window_open() const;
  [[nodiscard]] Time due(uint64_t sequence) const;
  void send_one(Time now);
  void finish(uint16_t id, bool refused);

  const LoadOptions& options_;
  Traffic& traffic_;
  uint32_t index_;
  Client client_;
  uint64_t next_sequence_;
  uint64_t end_sequence_;
  std::string payload_;
  std::vector<std::string> topics_;
  std::vector<uint64_t> sequence_of_id_;  // 0: the id is free
  std::deque<uint16_t> free_ids_;
  std::set<uint64_t> refused_;
};

}  // namespace bench
