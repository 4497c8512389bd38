#include "store/keys.h"

#include <cstring>

namespace tidegate::store {
namespace {

std::string named(char prefix, std::string_view name) {
  std::string key;
  key.reserve(1 + name.size());
  key.push_back(prefix);
  key.append(name);
  return key;
}

std::string numbered(char prefix, QueueId id) {
  std::string key(1, prefix);
  append_big_endian(key, id.value);
  return key;
}

std::string numbered(char prefix, QueueId id, uint16_t packet_id) {
  std::string key = numbered(prefix, id);
  append_big_endian(key, packet_id);
  return key;
}

}  // namespace

std::string format_key() {
  return "F";
}
std::string clean_stop_key() {
  return "C";
}
std::string next_queue_id_key() {
  return "Q";
}
std::string queue_name_key(std::string_view name) {
  return named('N', name);
}
std::string queue_head_key(QueueId queue) {
  return numbered('H', queue);
}
std::string queue_tail_key(QueueId queue) {
  return numbered('L', queue);
}
std::string bridge_rules_key(QueueId out_queue) {
  return numbered('B', out_queue);
}
std::string session_key(std::string_view client_id) {
  return named('S', client_id);
}
std::string subscription_key(QueueId session, std::string_view filter) {
  return numbered('U', session).append(filter);
}
std::string receipt_key(QueueId session, uint16_t packet_id) {
  return numbered('R', session, packet_id);
}
std::string inflight_key(QueueId session, uint16_t packet_id) {
  return numbered('I', session, packet_id);
}
std::string exchange_key(QueueId queue, uint16_t packet_id) {
  return numbered('X', queue, packet_id);
}
std::string exchange_prefix(QueueId queue) {
  return numbered('X', queue);
}
std::string retained_key(std::string_view topic) {
  return named('T', topic);
}
std::string will_key(std::string_view client_id) {
  return named('W', client_id);
}
std::string estate_key(QueueId queue) {
  return numbered('E', queue);
}

QueueKey::QueueKey(QueueId queue, Seq seq) {
  const uint32_t q = to_big_endian(queue.value);
  const uint64_t s = to_big_endian(seq.value);
  std::memcpy(bytes_, &q, sizeof q);
  std::memcpy(bytes_ + sizeof q, &s, sizeof s);
}

std::optional<QueuePlace> parse_queue_key(std::string_view key) {
  if (key.size() != QueueKey::size) return std::nullopt;
  return QueuePlace{QueueId{load_big_endian<uint32_t>(key)}, Seq{load_big_endian<uint64_t>(key.substr(4))}};
}

}  // namespace tidegate::store
