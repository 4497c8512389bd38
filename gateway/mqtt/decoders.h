// One decoder for each packet that decode() tells apart; decode.h is what others include.
// REQUIRES of all: frame.state is complete and its type is the function's.
#pragma once

#include "gateway/mqtt/decode.h"

namespace tidegate::mqtt {

[[nodiscard]] Decoded<Connack> decode_connack(const Frame& frame, Version version);
[[nodiscard]] Decoded<Subscribe> decode_subscribe(const Frame& frame, Version version);
[[nodiscard]] Decoded<Suback> decode_suback(const Frame& frame, Version version);  // and UNSUBACK
[[nodiscard]] Decoded<Unsubscribe> decode_unsubscribe(const Frame& frame, Version version);
[[nodiscard]] Decoded<Packet> decode_ping(const Frame& frame, Version version);  // PINGREQ, PINGRESP
[[nodiscard]] Decoded<Disconnect> decode_disconnect(const Frame& frame, Version version);
[[nodiscard]] Decoded<Auth> decode_auth(const Frame& frame, Version version);

}  // namespace tidegate::mqtt
