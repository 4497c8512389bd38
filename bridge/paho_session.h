// What Paho keeps of a session, in our terms: it calls this its persistence, and asks and tells it by keys.
//
//   c-N             a command that waits in Paho: in memory only, the queue has the message
//   s-ID, s5-ID     PUBLISH written, QoS 1 or 2      sc-ID, sc5-ID   PUBREL written
//   r-ID, r5-ID     PUBLISH of QoS 2 received        (5: protocol 5.0)
//
// Paho sends what it is about to tell as soon as this returns, whatever it returns: so it returns when the disk has it, and
// where the disk does not take it, it cuts the connection first.
// Thread: Paho's, under its lock; `open` to `keys` also the bridge's.
#pragma once

#include <mqtt/iclient_persistence.h>

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bridge/cloud_link.h"
#include "bridge/exchanges.h"

namespace tidegate::bridge {

class PahoSession final : public mqtt::iclient_persistence {
 public:
  // REQUIRES: request.exchanges. All outlive this.
  PahoSession(const ConnectRequest& request, LinkEvents& events, std::function<void()> cut);

  // From here on a removed key is an end; before it, Paho throws away what a new session does not know.
  void connected() { connected_ = true; }
  // The message of QoS 2 that Paho hands over now has this id; 0: it is known already, or was taken when it came.
  [[nodiscard]] PacketId receiving() const { return receiving_; }

  void open(const std::string&, const std::string&) override {}
  void close() override {}
  void clear() override {}
  [[nodiscard]] bool contains_key(const std::string& key) override;
  [[nodiscard]] mqtt::string_collection keys() const override;
  void put(const std::string& key, const std::vector<mqtt::string_view>& parts) override;
  [[nodiscard]] std::string get(const std::string& key) const override;
  void remove(const std::string& key) override;

 private:
  enum class Kind : uint8_t { command, publish, pubrel, received, other };
  struct Key {
    Kind kind = Kind::other;
    PacketId id = 0;
  };
  [[nodiscard]] Key parse(const std::string& key) const;
  [[nodiscard]] std::string key(Kind kind, PacketId id) const;
  [[nodiscard]] std::string publish_packet(PacketId id) const;
  void received(PacketId id, const std::vector<mqtt::string_view>& parts);
  void ended(PacketId id);

  const ConnectRequest& request_;
  Exchanges& exchanges_;
  LinkEvents& events_;
  const std::function<void()> cut_;
  const bool v5_;
  std::atomic<bool> connected_ = false;
  std::atomic<PacketId> receiving_ = 0;
  std::map<std::string, std::string> commands_;
};

}  // namespace tidegate::bridge
