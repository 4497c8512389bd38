// The table of 2.2.2.2: each property's type, where it may stand, and the values that its own section allows.
#pragma once

#include <array>
#include <cstdint>

#include "gateway/mqtt/packet.h"

namespace tidegate::mqtt {

// Where properties stand: the control packets by their number, and the will inside a CONNECT (3.1.3.2).
enum class PropertyHome : uint8_t {
  will,
  connect,
  connack,
  publish,
  puback,
  pubrec,
  pubrel,
  pubcomp,
  subscribe,
  suback,
  unsubscribe,
  unsuback,
  disconnect = 14,
  auth
};

[[nodiscard]] constexpr PropertyHome home_of(PacketType type) {
  return static_cast<PropertyHome>(type);
}

enum class PropertyType : uint8_t { none, byte, two_bytes, four_bytes, varint, string, topic, binary, string_pair };

struct PropertyTrait {
  PropertyType type = PropertyType::none;
  uint16_t homes = 0;    // one bit for each PropertyHome
  uint16_t repeats = 0;  // the homes in which it may stand more than once
  uint32_t value_min = 0;
  uint32_t value_max = 0xFFFFFFFF;
};

namespace property_table {

using enum PropertyHome;

template <class... Homes>
constexpr uint16_t in(Homes... homes) {
  return static_cast<uint16_t>((0 | ... | (1u << static_cast<unsigned>(homes))));
}

inline constexpr uint16_t kMessage = in(publish, will);
inline constexpr uint16_t kReasoned = in(connack, puback, pubrec, pubrel, pubcomp, suback, unsuback, disconnect, auth);
inline constexpr uint16_t kAll = kReasoned | in(will, connect, publish, subscribe, unsubscribe);

inline constexpr size_t kSize = 0x2B;

constexpr std::array<PropertyTrait, kSize> make() {
  using enum PropertyId;
  using T = PropertyType;
  std::array<PropertyTrait, kSize> t{};
  auto set = [&t](PropertyId id, PropertyTrait trait) { t[static_cast<size_t>(id)] = trait; };
  set(payload_format_indicator, {T::byte, kMessage, 0, 0, 1});
  set(message_expiry_interval, {T::four_bytes, kMessage});
  set(content_type, {T::string, kMessage});
  set(response_topic, {T::topic, kMessage});
  set(correlation_data, {T::binary, kMessage});
  set(subscription_identifier, {T::varint, in(publish, subscribe), in(publish), 1});
  set(session_expiry_interval, {T::four_bytes, in(connect, connack, disconnect)});
  set(assigned_client_identifier, {T::string, in(connack)});
  set(server_keep_alive, {T::two_bytes, in(connack)});
  set(authentication_method, {T::string, in(connect, connack, auth)});
  set(authentication_data, {T::binary, in(connect, connack, auth)});
  set(request_problem_information, {T::byte, in(connect), 0, 0, 1});
  set(will_delay_interval, {T::four_bytes, in(will)});
  set(request_response_information, {T::byte, in(connect), 0, 0, 1});
  set(response_information, {T::string, in(connack)});
  set(server_reference, {T::string, in(connack, disconnect)});
  set(reason_string, {T::string, kReasoned});
  set(receive_maximum, {T::two_bytes, in(connect, connack), 0, 1});
  set(topic_alias_maximum, {T::two_bytes, in(connect, connack)});
  set(topic_alias, {T::two_bytes, in(publish), 0, 1});
  set(maximum_qos, {T::byte, in(connack), 0, 0, 1});
  set(retain_available, {T::byte, in(connack), 0, 0, 1});
  set(user_property, {T::string_pair, kAll, kAll});
  set(maximum_packet_size, {T::four_bytes, in(connect, connack), 0, 1});
  set(wildcard_subscription_available, {T::byte, in(connack), 0, 0, 1});
  set(subscription_identifier_available, {T::byte, in(connack), 0, 0, 1});
  set(shared_subscription_available, {T::byte, in(connack), 0, 0, 1});
  return t;
}

inline constexpr auto kTable = make();

}  // namespace property_table

// Type none for an id that the standard does not know.
[[nodiscard]] constexpr PropertyTrait trait_of(PropertyId id) {
  auto at = static_cast<size_t>(id);
  return at < property_table::kSize ? property_table::kTable[at] : PropertyTrait{};
}

}  // namespace tidegate::mqtt
