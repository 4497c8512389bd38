// One subscribing client: acknowledges, and tallies what it hears by publisher.
#pragma once

#include <vector>

#include "tests/bench/client.h"
#include "tests/bench/options.h"
#include "tests/bench/traffic.h"

namespace bench {

class Subscriber final : public Client::Events {
 public:
  Subscriber(Loop& loop, Traffic& traffic, const LoadOptions& options, uint32_t index);

  void open(const Address& address) { client_.open(address); }
  void close() { client_.close(); }
  [[nodiscard]] bool up() const { return client_.up(); }
  [[nodiscard]] bool open() const { return client_.open(); }
  // What came from a publisher; an empty stream where nothing did.
  [[nodiscard]] const Stream& stream(uint32_t publisher) const;
  [[nodiscard]] uint32_t publishers_heard() const { return static_cast<uint32_t>(streams_.size()); }

 private:
  void on_up(Client& client, const Connack& connack) override;
  void on_subscribed(Client& client) override;
  void on_publish(Client& client, const Publish& publish) override;
  void on_ack(Client& client, PacketType type, const Ack& ack) override;
  void on_down(Client& client, const std::string& why) override;
  void count(const Publish& publish);
  [[nodiscard]] bool first_of_exactly_once(const Publish& publish);

  const LoadOptions& options_;
  Traffic& traffic_;
  std::vector<std::string> filters_;
  Client client_;
  std::vector<Stream> streams_;  // by publisher
  Stream nothing_;
  std::vector<bool> released_later_;  // QoS 2: ids between PUBLISH and PUBREL
};

}  // namespace bench
