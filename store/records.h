// The values of the store. Each begins with a version byte. Decoders are total: any bytes give a record or nothing.
// FORMAT.md draws them; golden-bytes tests hold them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/message.h"

namespace tidegate::store {

// The value of a queue record, a retained message and the message in a will. Views: the bytes belong to somebody else.
struct MessageView {
  std::string_view topic{}, payload{}, properties{};
  Qos qos = Qos::at_most_once;  // of the delivery: already lowered to what its destination takes
  bool retain = false;
  WallTime expires = WallTime::never();
  WallTime received{};
  BridgeId from_bridge{};    // as in Message; never stored
  std::string_view share{};  // as in Message
};
// Replaces the content of `out`, reusing its memory. REQUIRES: a topic of at most 65535 bytes.
void encode(const MessageView& message, std::string& out);
void append_encoded(const MessageView& message, std::string& out);  // as encode, behind what `out` holds
[[nodiscard]] std::optional<MessageView> decode_message(std::string_view value);

[[nodiscard]] MessageView view_of(const Message& message);
[[nodiscard]] Message to_message(const MessageView& view);
// counted_bytes() of the message that `view` shows.
[[nodiscard]] uint64_t counted_bytes(const MessageView& view);

struct QueueTail {
  Seq next{1};            // place of the next record to be appended
  uint64_t bytes_in = 0;  // counted bytes of all records ever appended
  friend bool operator==(const QueueTail&, const QueueTail&) = default;
};
struct QueueHead {
  Seq first{1};               // every record below is gone
  uint64_t messages_out = 0;  // records ever removed, for whatever reason
  uint64_t bytes_out = 0;
  friend bool operator==(const QueueHead&, const QueueHead&) = default;
};
[[nodiscard]] std::string encode(const QueueTail& tail);
[[nodiscard]] std::string encode(const QueueHead& head);
[[nodiscard]] std::optional<QueueTail> decode_queue_tail(std::string_view value);
[[nodiscard]] std::optional<QueueHead> decode_queue_head(std::string_view value);

struct SessionRecord {
  QueueId queue{};
  uint8_t protocol_version = 4;               // 3, 4 or 5: of the last CONNECT
  uint32_t expiry_seconds = 0;                // after its connection ended; 0xFFFFFFFF: never
  WallTime disconnected = WallTime::never();  // never: connected when last written
  Seq sent_below{};                           // records of its queue below have been sent, or may have been
  friend bool operator==(const SessionRecord&, const SessionRecord&) = default;
};
[[nodiscard]] std::string encode(const SessionRecord& session);
[[nodiscard]] std::optional<SessionRecord> decode_session(std::string_view value);

struct SubscriptionRecord {
  uint8_t options = 0;           // as on the wire (5.0, 3.8.3.1)
  uint32_t subscription_id = 0;  // 0: none
  friend bool operator==(const SubscriptionRecord&, const SubscriptionRecord&) = default;
};
[[nodiscard]] std::string encode(const SubscriptionRecord& subscription);
[[nodiscard]] std::optional<SubscriptionRecord> decode_subscription(std::string_view value);

// An outgoing QoS 2 delivery whose packet id was committed before it was sent.
struct InflightRecord {
  Seq seq{};              // its record in the session's queue
  bool released = false;  // PUBREC seen: only PUBREL is sent from here on, and the queue record is gone
  friend bool operator==(const InflightRecord&, const InflightRecord&) = default;
};
[[nodiscard]] std::string encode(const InflightRecord& inflight);
[[nodiscard]] std::optional<InflightRecord> decode_inflight(std::string_view value);

struct WillRecord {
  MessageView message;
  uint32_t delay_seconds = 0;
  uint32_t session_expiry_seconds = 0;  // the will fires no later than the session ends [MQTT-3.1.3-9]
  WallTime due = WallTime::never();     // its delay has begun; never: it has not
};
[[nodiscard]] std::string encode(const WillRecord& will);
[[nodiscard]] std::optional<WillRecord> decode_will(std::string_view value);

// The out rules of a bridge whose retained messages were queued: a rule is known by its topics on both sides.
struct BridgeRule {
  std::string local, remote;  // filters
  friend bool operator==(const BridgeRule&, const BridgeRule&) = default;
};
[[nodiscard]] std::string encode(const std::vector<BridgeRule>& rules);
[[nodiscard]] std::optional<std::vector<BridgeRule>> decode_bridge_rules(std::string_view value);

[[nodiscard]] std::string encode_u32(uint32_t value);  // format version, queue ids
[[nodiscard]] std::optional<uint32_t> decode_u32(std::string_view value);

inline constexpr uint32_t format_version = 1;

}  // namespace tidegate::store
