// Reason strings: why a packet says no, for the person who reads the client's log (5.0, 3.2.2.3.9 and its like).
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "gateway/broker/state.h"
#include "gateway/mqtt/encode.h"

namespace tidegate::broker {

// Appends the packet, with `why` if the client may be told: never beyond its Maximum Packet Size, and where it asked for
// no problem information in CONNACK and DISCONNECT alone [MQTT-3.1.2-29].
template <class Packet>
void encode_with_reason(const Connection& conn, Packet packet, mqtt::Version version, std::string_view why,
                        std::string& out) {
  constexpr bool always = std::is_same_v<Packet, mqtt::Connack> || std::is_same_v<Packet, mqtt::Disconnect>;
  const size_t start = out.size();
  if (version == mqtt::Version::v5 && !why.empty() && (always || conn.problem_information)) {
    std::string properties(packet.properties.wire());
    mqtt::PropertyWriter(properties).text(mqtt::PropertyId::reason_string, why);
    Packet explained = packet;
    explained.properties = mqtt::Properties::of_valid_wire(properties);
    mqtt::encode(explained, version, out);
    if (conn.packet_bytes_max == 0 || out.size() - start <= conn.packet_bytes_max) return;
    out.resize(start);
  }
  mqtt::encode(packet, version, out);
}

}  // namespace tidegate::broker
