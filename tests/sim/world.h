// What the simulation knows without asking the broker: what clients said and were told, and what they are owed.
//
// Plain data, made by the judge and by the checkers from the packets alone. Nothing here shares code with gateway/broker.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/broker_harness.h"

namespace tidegate::sim {

// What a client publishes once, or leaves as its will. Payloads differ, but for those that are empty.
struct Message {
  std::string publisher, topic, payload;
  std::string note;  // a user property that travels with it; empty: none
  int qos = 0;
  bool retain = false;
  bool is_will = false;
  std::optional<uint32_t> expiry_seconds;
  int takes = 0;  // how often the broker has taken it: QoS 1 may be sent again, and a crash may forget
  int epoch = 0;  // of the latest take
  int first_place = 0, latest_place = 0;  // Take::place of the first and the latest
  bool acknowledged = false;
  bool refused = false;  // at its latest sending, because of the store
};

// The broker takes a message now: everybody who is subscribed is owed it.
struct Take {
  Message& message;
  int place = 0;  // in the order of all takes
  Instant expires = Instant::never();
  bool after_crash = false;  // it was taken before a crash, which may have forgotten it or not
  bool retained = false;
};

enum class Origin : uint8_t { published, retained, group };

// One copy of a message for one session.
struct Owed {
  const Message* message = nullptr;
  Origin origin{};
  int place = 0;
  int qos = 0;
  bool retain = false;
  std::set<uint32_t> subscription_ids;
  Instant expires = Instant::never();
  bool required = true;      // false: it may come, it need not
  bool by_all_takes = true;  // of its message up to now: one of them has lasted
  BatchNumber owed_in{};     // batch that makes it last over a crash
  int since_link = 0;        // number of the session's connection at which it was owed
  int got_on = 0;            // and the one on which it came last; 0: not yet
  bool answered = false;     // the broker has taken the PUBACK, in the batch
  BatchNumber answered_in{};
  bool answer_is_in_doubt = false;  // a crash may have forgotten it
};

struct Subscription {
  int qos = 0;
  bool no_local = false;
  bool retain_as_published = false;
  mqtt::RetainHandling retain_handling = mqtt::RetainHandling::send;
  uint32_t id = 0;
};

// What a client asks for in CONNECT.
struct Wishes {
  mqtt::Version version = test::v4;
  bool clean = true;
  uint32_t session_expiry = 0;  // test::forever: never; before 5.0, forever or 0
  uint16_t keep_alive = 0;
  uint32_t receive_maximum = 65535;
  uint32_t packet_bytes_max = 0;  // 0: any
  uint32_t topic_alias_maximum = 0;
  Message* will = nullptr;
  uint32_t will_delay = 0;
};

// A PUBLISH of QoS 1 or 2 that has reached the client.
struct Unanswered {
  int qos = 0;
  Owed* owed = nullptr;  // of QoS 1, if it is looked at
  bool has_pubrec = false;
};

struct Link {
  Wishes wishes;
  bool session_present = false;  // what its CONNACK has to say
  Instant last_sent;
  bool was_held = false;   // a packet waited for the store: nobody is timed out meanwhile
  bool abandoned = false;  // the client has opened another, and reads this one no more
  bool cut = false;        // by the client
  bool answered_early =
      false;  // it has answered what came by an earlier connection: the broker may send more than it thinks
  std::optional<mqtt::Disconnect> goodbye = {};
  std::optional<uint32_t> new_expiry = {};         // in that DISCONNECT
  std::map<uint32_t, std::string> aliases = {};    // told by the broker
  std::map<uint16_t, Unanswered> unanswered = {};  // by packet id
};

struct Session {
  std::string id;
  int serial = 0;        // no two sessions have the same
  bool kept = false;     // it has been one that outlives its connection
  bool unknown = false;  // a crash has left its client not knowing whether there is one: it begins anew
  uint32_t expiry = 0;
  Instant expires = Instant::never();
  int links = 0;  // connections so far
  std::optional<Link> link;
  std::map<std::string, Subscription> subscriptions;
  std::list<Owed> owed;
  std::map<const Message*, int> received;                   // and at which QoS at most
  std::map<uint16_t, const Message*> receipts;              // QoS 2 that came and is not released
  std::map<std::string, std::vector<Subscription>> groups;  // shared subscriptions that it has had, by filter
  bool spares_large = false;                                // it has refused large packets at some time
  BatchNumber changed_in{}, left_in{};                      // newest batch with a change of it, with the end of a link
};

class World {
 public:
  explicit World(test::BrokerHarness& harness) : h(harness) {}

  [[nodiscard]] Instant now() const { return h.now.mono; }
  // The batch that has what happens now, or has just happened in a turn that is over.
  [[nodiscard]] BatchNumber batch() const {
    BatchNumber open = h.open_batch();
    return turn_is_over ? BatchNumber{open.value - 1} : open;
  }
  [[nodiscard]] bool is_on_disk(BatchNumber batch) const { return batch <= h.committed_batch(); }
  [[nodiscard]] Session* find(std::string_view id) {
    auto found = sessions.find(id);
    return found == sessions.end() ? nullptr : &found->second;
  }
  // The first fault is told; what follows from it is not.
  void fault(const std::string& what) {
    if (first_fault.empty()) first_fault = what;
  }

  test::BrokerHarness& h;
  std::map<std::string, Session, std::less<>> sessions;
  std::deque<Message> messages;
  int epoch = 0;                      // crashes so far
  std::set<std::string> wild_topics;  // of wills of which a crash has left nobody knowing what became of them
  bool turn_is_over = false;
  std::string first_fault;
};

}  // namespace tidegate::sim
