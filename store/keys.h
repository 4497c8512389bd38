// The keys of the store: the only place that knows their prefix bytes. FORMAT.md draws them.
//
// Integers are big-endian, so that keys sort by number. A variable part stands last, alone, so no separator is needed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/bytes.h"
#include "gateway/base/ids.h"

namespace tidegate::store {

// Table::state
[[nodiscard]] std::string format_key();                             // "F": format version, first record of all
[[nodiscard]] std::string clean_stop_key();                         // "C": present after an orderly stop
[[nodiscard]] std::string next_queue_id_key();                      // "Q": u32, the next queue id to give away
[[nodiscard]] std::string queue_name_key(std::string_view name);    // "N" name: u32 queue id
[[nodiscard]] std::string queue_head_key(QueueId queue);            // "H" u32
[[nodiscard]] std::string queue_tail_key(QueueId queue);            // "L" u32
[[nodiscard]] std::string bridge_rules_key(QueueId out_queue);      // "B" u32
[[nodiscard]] std::string session_key(std::string_view client_id);  // "S" client id
[[nodiscard]] std::string subscription_key(QueueId session, std::string_view filter);  // "U" u32 filter
[[nodiscard]] std::string receipt_key(QueueId session, uint16_t packet_id);            // "R" u32 u16: incoming QoS 2
[[nodiscard]] std::string inflight_key(QueueId session, uint16_t packet_id);           // "I" u32 u16: outgoing QoS 2
[[nodiscard]] std::string exchange_key(QueueId queue, uint16_t packet_id);             // "X" u32 u16: QoS 2 of a bridge
[[nodiscard]] std::string exchange_prefix(QueueId queue);
[[nodiscard]] std::string retained_key(std::string_view topic);  // "T" topic
[[nodiscard]] std::string will_key(std::string_view client_id);  // "W" client id
[[nodiscard]] std::string estate_key(QueueId queue);             // "E" u32: what an ended session leaves to its groups

// Table::queue: u32 queue, u64 seq. Written on the stack: one is made per message.
class QueueKey {
 public:
  QueueKey(QueueId queue, Seq seq);
  [[nodiscard]] std::string_view view() const { return {bytes_, sizeof bytes_}; }
  static constexpr size_t size = 12;

 private:
  char bytes_[size];
};
struct QueuePlace {
  QueueId queue;
  Seq seq;
};
[[nodiscard]] std::optional<QueuePlace> parse_queue_key(std::string_view key);

}  // namespace tidegate::store
