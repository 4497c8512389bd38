#include "store/records.h"

#include <limits>

#include "gateway/base/bytes.h"
#include "gateway/base/result.h"

namespace tidegate::store {
namespace {

// Of each record on its own; FORMAT.md has the upgrade rule.
constexpr uint8_t message_version = 1;
constexpr uint8_t shared_message_version = 2;  // the same and the filter of a shared subscription
constexpr uint8_t tail_version = 1;
constexpr uint8_t head_version = 1;
constexpr uint8_t session_version = 2;  // 1: up to the time
constexpr uint8_t subscription_version = 1;
constexpr uint8_t inflight_version = 1;
constexpr uint8_t will_version = 2;  // 1: without the time when it is due
constexpr uint8_t bridge_rules_version = 1;

// Second byte of a message.
constexpr uint8_t qos_mask = 0x03;
constexpr uint8_t retain_flag = 0x04;
constexpr uint8_t expires_flag = 0x08;
constexpr uint8_t subscription_id_flag = 0x10;  // read over; identifiers stand among the properties
constexpr uint8_t known_flags = qos_mask | retain_flag | expires_flag | subscription_id_flag;

void put_time(std::string& out, WallTime t) {
  append_big_endian(out, static_cast<uint64_t>(t.since_epoch.count()));
}

WallTime take_time(ByteReader& in) {
  return WallTime{Millis{static_cast<Millis::rep>(in.integer<uint64_t>())}};
}

std::string begin(uint8_t version, size_t size_max) {
  std::string out;
  out.reserve(size_max);
  out.push_back(static_cast<char>(version));
  return out;
}

bool versioned(ByteReader& in, uint8_t version) {
  return in.integer<uint8_t>() == version && in.ok();
}

// A record without a variable part is read completely or not at all.
bool complete(const ByteReader& in) {
  return in.ok() && in.remaining() == 0;
}

}  // namespace

void append_encoded(const MessageView& message, std::string& out) {
  TIDEGATE_CHECK(message.topic.size() <= std::numeric_limits<uint16_t>::max());
  TIDEGATE_CHECK(message.properties.size() <= std::numeric_limits<uint32_t>::max());
  const bool expires = message.expires != WallTime::never();
  uint8_t flags = static_cast<uint8_t>(message.qos);
  if (message.retain) flags |= retain_flag;
  if (expires) flags |= expires_flag;

  const bool shared = !message.share.empty();
  out.push_back(static_cast<char>(shared ? shared_message_version : message_version));
  out.push_back(static_cast<char>(flags));
  put_time(out, message.received);
  if (expires) put_time(out, message.expires);
  append_big_endian(out, static_cast<uint16_t>(message.topic.size()));
  append_big_endian(out, static_cast<uint32_t>(message.properties.size()));
  if (shared) append_big_endian(out, static_cast<uint16_t>(message.share.size()));
  out.append(message.topic).append(message.properties).append(message.share).append(message.payload);
}

void encode(const MessageView& message, std::string& out) {
  out.clear();
  append_encoded(message, out);
}

std::optional<MessageView> decode_message(std::string_view value) {
  ByteReader in(value);
  const auto version = in.integer<uint8_t>();
  if (!in.ok() || (version != message_version && version != shared_message_version)) return std::nullopt;
  const auto flags = in.integer<uint8_t>();
  if ((flags & ~known_flags) != 0 || (flags & qos_mask) == qos_mask) return std::nullopt;
  MessageView message;
  message.qos = static_cast<Qos>(flags & qos_mask);
  message.retain = (flags & retain_flag) != 0;
  message.received = take_time(in);
  if ((flags & expires_flag) != 0) message.expires = take_time(in);
  if ((flags & subscription_id_flag) != 0) (void)in.integer<uint32_t>();
  const auto topic_size = in.integer<uint16_t>();
  const auto properties_size = in.integer<uint32_t>();
  const auto share_size = version == shared_message_version ? in.integer<uint16_t>() : uint16_t{0};
  message.topic = in.bytes(topic_size);
  message.properties = in.bytes(properties_size);
  message.share = in.bytes(share_size);
  message.payload = in.rest();
  if (!in.ok() || (version == shared_message_version && share_size == 0)) return std::nullopt;
  return message;
}

MessageView view_of(const Message& message) {
  return {.topic = message.topic,
          .payload = message.payload,
          .properties = message.properties,
          .qos = message.qos,
          .retain = message.retain,
          .expires = message.expires,
          .received = message.received,
          .from_bridge = message.from_bridge,
          .share = message.share};
}

Message to_message(const MessageView& view) {
  Message message;
  message.topic = view.topic;
  message.payload = view.payload;
  message.properties = view.properties;
  message.qos = view.qos;
  message.retain = view.retain;
  message.expires = view.expires;
  message.received = view.received;
  message.from_bridge = view.from_bridge;
  message.share = view.share;
  return message;
}

uint64_t counted_bytes(const MessageView& view) {
  return view.topic.size() + view.payload.size() + view.properties.size() + 32;
}

std::string encode(const QueueTail& tail) {
  std::string out = begin(tail_version, 17);
  append_big_endian(out, tail.next.value);
  append_big_endian(out, tail.bytes_in);
  return out;
}

std::string encode(const QueueHead& head) {
  std::string out = begin(head_version, 25);
  append_big_endian(out, head.first.value);
  append_big_endian(out, head.messages_out);
  append_big_endian(out, head.bytes_out);
  return out;
}

std::optional<QueueTail> decode_queue_tail(std::string_view value) {
  ByteReader in(value);
  if (!versioned(in, tail_version)) return std::nullopt;
  QueueTail tail;
  tail.next = Seq{in.integer<uint64_t>()};
  tail.bytes_in = in.integer<uint64_t>();
  if (!complete(in) || tail.next.value == 0) return std::nullopt;
  return tail;
}

std::optional<QueueHead> decode_queue_head(std::string_view value) {
  ByteReader in(value);
  if (!versioned(in, head_version)) return std::nullopt;
  QueueHead head;
  head.first = Seq{in.integer<uint64_t>()};
  head.messages_out = in.integer<uint64_t>();
  head.bytes_out = in.integer<uint64_t>();
  if (!complete(in) || head.first.value == 0) return std::nullopt;
  return head;
}

std::string encode(const SessionRecord& session) {
  std::string out = begin(session_version, 26);
  append_big_endian(out, session.queue.value);
  append_big_endian(out, session.protocol_version);
  append_big_endian(out, session.expiry_seconds);
  put_time(out, session.disconnected);
  append_big_endian(out, session.sent_below.value);
  return out;
}

std::optional<SessionRecord> decode_session(std::string_view value) {
  ByteReader in(value);
  const auto version = in.integer<uint8_t>();
  if (!in.ok() || version == 0 || version > session_version) return std::nullopt;
  SessionRecord session;
  session.queue = QueueId{in.integer<uint32_t>()};
  session.protocol_version = in.integer<uint8_t>();
  session.expiry_seconds = in.integer<uint32_t>();
  session.disconnected = take_time(in);
  session.sent_below = version == 1 ? Seq{UINT64_MAX} : Seq{in.integer<uint64_t>()};
  if (!complete(in) || session.protocol_version < 3 || session.protocol_version > 5) return std::nullopt;
  return session;
}

std::string encode(const SubscriptionRecord& subscription) {
  std::string out = begin(subscription_version, 6);
  append_big_endian(out, subscription.options);
  append_big_endian(out, subscription.subscription_id);
  return out;
}

std::optional<SubscriptionRecord> decode_subscription(std::string_view value) {
  ByteReader in(value);
  if (!versioned(in, subscription_version)) return std::nullopt;
  SubscriptionRecord subscription;
  subscription.options = in.integer<uint8_t>();
  subscription.subscription_id = in.integer<uint32_t>();
  if (!complete(in)) return std::nullopt;
  return subscription;
}

std::string encode(const InflightRecord& inflight) {
  std::string out = begin(inflight_version, 10);
  append_big_endian(out, inflight.seq.value);
  append_big_endian(out, static_cast<uint8_t>(inflight.released));
  return out;
}

std::optional<InflightRecord> decode_inflight(std::string_view value) {
  ByteReader in(value);
  if (!versioned(in, inflight_version)) return std::nullopt;
  InflightRecord inflight;
  inflight.seq = Seq{in.integer<uint64_t>()};
  const auto released = in.integer<uint8_t>();
  if (!complete(in) || released > 1) return std::nullopt;
  inflight.released = released == 1;
  return inflight;
}

std::string encode(const WillRecord& will) {
  std::string out = begin(will_version, 17);
  append_big_endian(out, will.delay_seconds);
  append_big_endian(out, will.session_expiry_seconds);
  put_time(out, will.due);
  append_encoded(will.message, out);
  return out;
}

std::optional<WillRecord> decode_will(std::string_view value) {
  ByteReader in(value);
  const auto version = in.integer<uint8_t>();
  if (!in.ok() || version == 0 || version > will_version) return std::nullopt;
  WillRecord will;
  will.delay_seconds = in.integer<uint32_t>();
  will.session_expiry_seconds = in.integer<uint32_t>();
  if (version > 1) will.due = take_time(in);
  if (!in.ok()) return std::nullopt;
  const auto message = decode_message(in.rest());
  if (!message) return std::nullopt;
  will.message = *message;
  return will;
}

std::string encode(const std::vector<BridgeRule>& rules) {
  std::string out = begin(bridge_rules_version, 64);
  for (const BridgeRule& rule : rules) {
    for (const std::string* filter : {&rule.local, &rule.remote}) {
      TIDEGATE_CHECK(filter->size() <= std::numeric_limits<uint16_t>::max());
      append_big_endian(out, static_cast<uint16_t>(filter->size()));
      out.append(*filter);
    }
  }
  return out;
}

std::optional<std::vector<BridgeRule>> decode_bridge_rules(std::string_view value) {
  ByteReader in(value);
  if (!versioned(in, bridge_rules_version)) return std::nullopt;
  std::vector<BridgeRule> rules;
  while (in.ok() && in.remaining() > 0) {
    BridgeRule& rule = rules.emplace_back();
    for (std::string* filter : {&rule.local, &rule.remote}) {
      const auto size = in.integer<uint16_t>();
      *filter = in.bytes(size);
    }
  }
  if (!in.ok()) return std::nullopt;
  return rules;
}

std::string encode_u32(uint32_t value) {
  std::string out;
  append_big_endian(out, value);
  return out;
}

std::optional<uint32_t> decode_u32(std::string_view value) {
  if (value.size() != sizeof(uint32_t)) return std::nullopt;
  return load_big_endian<uint32_t>(value);
}

}  // namespace tidegate::store
