// PINGREQ (3.12), PINGRESP (3.13), DISCONNECT (3.14), AUTH (3.15), and properties that no packet may carry so (2.2.2).
#pragma once

#include "tests/support/raw_packet.h"

namespace tidegate::test::table {

using enum Direction;
using enum mqtt::ReasonCode;

inline constexpr RawPacket kClose[] = {
    good("pingreq", kEvery, to_server, "3.12", "c0 00"),
    good("pingresp", kEvery, to_client, "3.13", "d0 00"),
    bad("pingreq with flags", kSince311, to_server, malformed_packet, "[MQTT-2.1.3-1]", "c1 00"),
    bad("pingreq with bytes left", kEvery, to_server, malformed_packet, "4.13.1", "c0 01 00"),
    bad("pingresp with flags", kSince311, to_client, malformed_packet, "[MQTT-2.1.3-1]", "d8 00"),
    bad("pingresp with bytes left", kEvery, to_client, malformed_packet, "4.13.1", "d0 01 00"),
    bad("pingreq 5.0 with a padded remaining length", k5, to_server, malformed_packet, "[MQTT-1.5.5-1]", "c0 8000"),
    loose("pingreq with a padded remaining length", kBefore5, to_server, "2.2.3 of 3.1.1", "c0 8000"),

    good("disconnect", kEvery, to_server, "3.14", "e0 00"),
    good("disconnect 5.0 with will", k5, to_server, "3.14.2.1", "e0 01 04"),
    good("disconnect 5.0 by the server", k5, to_client, "3.14.2.1", "e0 01 8e"),
    good("disconnect 5.0 with session expiry", k5, to_server, "3.14.2.2.2", "e0 07 00 05 11 0000000a"),
    good("disconnect 5.0 with every property of a server", k5, to_client, "3.14.2.2",
         "e0 18 9c"
         "16 1f 0002 'go'"       // reason string
         "26 0001 'k' 0001 'v'"  // user property
         "1c 0007 'there:1'"),   // server reference
    loose("disconnect 5.0 with success spelled out", k5, to_server, "3.14.2.1", "e0 01 00"),
    loose("disconnect 5.0 with empty properties", k5, to_server, "3.14.2.2.1", "e0 02 04 00"),
    bad("disconnect with flags", kSince311, to_server, malformed_packet, "[MQTT-3.14.1-1]", "e2 00"),
    bad("disconnect with bytes left", kBefore5, to_server, malformed_packet, "4.13.1", "e0 01 00"),
    bad("disconnect 5.0 with bytes left", k5, to_server, malformed_packet, "4.13.1", "e0 03 00 00 00"),
    bad("disconnect 5.0 with a code of others", k5, to_server, protocol_error, "[MQTT-3.14.2-1]", "e0 01 84"),
    bad("disconnect 5.0 with a padded property length", k5, to_server, malformed_packet, "[MQTT-1.5.5-1]",
        "e0 03 00 80 00"),
    bad("disconnect 5.0 with session expiry twice", k5, to_server, protocol_error, "property stands twice",
        "e0 0c 00 0a 11 00000001 11 00000001"),

    good("auth continues", k5, both, "3.15", "f0 0e 18 0c 15 0005 'plain' 16 0001 00"),
    good("auth begins again", k5, to_server, "3.15", "f0 15 19 13 15 0005 'plain' 1f 0001 'x' 26 0001 'k' 0001 'v'"),
    good("auth done, short form", k5, to_client, "3.15.2.1", "f0 00"),
    bad("auth before 5.0", kBefore5, both, malformed_packet, "2.2.1 of 3.1.1", "f0 00"),
    bad("auth with flags", k5, both, malformed_packet, "[MQTT-3.15.1-1]", "f2 00"),
    bad("auth with a code of others", k5, both, protocol_error, "[MQTT-3.15.2-1]", "f0 0a 87 08 15 0005 'plain'"),
    bad("auth without method", k5, both, protocol_error, "3.15.2.2.2", "f0 06 18 04 16 0001 00"),
    bad("auth with method twice", k5, both, protocol_error, "property stands twice",
        "f0 0a 18 08 15 0001 'x' 15 0001 'x'"),
    bad("auth without property length", k5, both, malformed_packet, "[MQTT-1.5.5-1]", "f0 01 18"),
    bad("auth with bytes left", k5, both, malformed_packet, "4.13.1", "f0 0b 18 08 15 0005 'plain' 00"),
};

inline constexpr RawPacket kPropertyErrors[] = {
    bad("property 0", k5, both, malformed_packet, "unknown property", "30 05 0001 'a' 01 00"),
    bad("property that nobody knows", k5, both, malformed_packet, "unknown property", "30 06 0001 'a' 02 2b 00"),
    bad("property identifier of two bytes", k5, both, malformed_packet, "unknown property",
        "30 07 0001 'a' 03 8100 01"),
    bad("property of one byte without it", k5, both, malformed_packet, "cut short", "30 05 0001 'a' 01 01"),
    bad("property of two bytes cut", k5, both, malformed_packet, "cut short", "30 06 0001 'a' 02 23 00"),
    bad("property of four bytes cut", k5, both, malformed_packet, "cut short", "30 08 0001 'a' 04 02 000000"),
    bad("property of text without length", k5, both, malformed_packet, "cut short", "30 06 0001 'a' 02 03 00"),
    bad("property of text cut", k5, both, malformed_packet, "cut short", "30 09 0001 'a' 05 03 0005 'te'"),
    bad("property of text longer than the properties", k5, both, malformed_packet, "cut short",
        "30 0c 0001 'a' 05 03 0005 'te' 'xt!'"),
    bad("property of bytes cut", k5, both, malformed_packet, "cut short", "30 08 0001 'a' 04 09 0002 00"),
    bad("property varint cut", k5, both, malformed_packet, "cut short", "30 06 0001 'a' 02 0b 80"),
    bad("user property without value", k5, both, malformed_packet, "cut short", "30 08 0001 'a' 04 26 0001 'k'"),
    bad("user property with an ill-formed name", k5, both, malformed_packet, "[MQTT-1.5.7-1]",
        "30 0b 0001 'a' 07 26 0001 ff 0001 'v'"),
    bad("user property with an ill-formed value", k5, both, malformed_packet, "[MQTT-1.5.7-1]",
        "30 0d 0001 'a' 09 26 0001 'k' 0003 eda080"),
    // [MQTT-3.3.2-19]
    bad("content type with U+0000", k5, both, malformed_packet, "[MQTT-1.5.4-1]", "30 08 0001 'a' 04 03 0001 00"),
};

}  // namespace tidegate::test::table
