// SUBSCRIBE (3.8), SUBACK (3.9), UNSUBSCRIBE (3.10), UNSUBACK (3.11).
#pragma once

#include "tests/support/raw_packet.h"

namespace tidegate::test::table {

using enum Direction;
using enum mqtt::ReasonCode;

inline constexpr RawPacket kSubscribe[] = {
    good("subscribe", kBefore5, to_server, "3.8", "82 08 0001 0003 'a/b' 01"),
    good("subscribe to three filters", kBefore5, to_server, "3.8.3",
         "82 10 0001 0001 '#' 00 0003 'a/+' 01 0001 'b' 02"),
    good("subscribe to what is no filter", kBefore5, to_server, "4.7.1: the broker's matter",
         "82 07 0001 0002 '#a' 00"),
    good("subscribe to an empty filter", kBefore5, to_server, "4.7.3: the broker's matter", "82 05 0001 0000 00"),
    loose("subscribe 3.1 with bits that it does not look at", k31, to_server, "3.8 of 3.1", "8b 06 0001 0001 'a' fd"),
    good("subscribe 5.0", k5, to_server, "3.8", "82 09 0001 00 0003 'a/b' 01"),
    good("subscribe 5.0 with every option", k5, to_server, "3.8.3.1",
         "82 18 0001 00"
         "0001 'a' 2e"             // QoS 2, no local, retain as published, retain handling 2
         "0001 'b' 10"             // QoS 0, retain handling 1
         "000a '$share/g/c' 09"),  // QoS 1, retain as published
    good("subscribe 5.0 with every property", k5, to_server, "3.8.2.1",
         "82 11 0001 0a 0b 8001 26 0001 'k' 0001 'v' 0001 'a' 00"),

    bad("subscribe without its flag", kSince311, to_server, malformed_packet, "[MQTT-3.8.1-1]",
        "80 07 0001 00 0001 'a' 00"),
    bad("subscribe with a flag too many", kSince311, to_server, malformed_packet, "[MQTT-3.8.1-1]",
        "8a 07 0001 00 0001 'a' 00"),
    bad("subscribe to nothing", kBefore5, to_server, protocol_error, "[MQTT-3.8.3-2]", "82 02 0001"),
    bad("subscribe 5.0 to nothing", k5, to_server, protocol_error, "[MQTT-3.8.3-2]", "82 03 0001 00"),
    bad("subscribe with packet identifier 0", kBefore5, to_server, protocol_error, "[MQTT-2.2.1-3]",
        "82 06 0000 0001 'a' 00"),
    bad("subscribe 5.0 with packet identifier 0", k5, to_server, protocol_error, "[MQTT-2.2.1-3]",
        "82 07 0000 00 0001 'a' 00"),
    bad("subscribe of nothing", kEvery, to_server, malformed_packet, "4.13.1", "82 00"),
    bad("subscribe cut in a filter", kBefore5, to_server, malformed_packet, "4.13.1", "82 06 0001 0005 'a' 00"),
    bad("subscribe cut before its options", kBefore5, to_server, malformed_packet, "4.13.1", "82 05 0001 0001 'a'"),
    bad("subscribe with one byte left", kBefore5, to_server, malformed_packet, "4.13.1", "82 07 0001 0001 'a' 00 00"),
    bad("subscribe 5.0 cut before its options", k5, to_server, malformed_packet, "4.13.1", "82 06 0001 00 0001 'a'"),
    bad("subscribe 3.1.1 with QoS 3", k311, to_server, malformed_packet, "[MQTT-3.8.3-4 of 3.1.1]",
        "82 06 0001 0001 'a' 03"),
    bad("subscribe 3.1 with QoS 3", k31, to_server, malformed_packet, "[MQTT-3.8.3-4 of 3.1.1]",
        "82 06 0001 0001 'a' 03"),
    bad("subscribe 3.1.1 with reserved bits", k311, to_server, malformed_packet, "[MQTT-3.8.3-4 of 3.1.1]",
        "82 06 0001 0001 'a' 04"),
    bad("subscribe 5.0 with QoS 3", k5, to_server, protocol_error, "maximum QoS 3", "82 07 0001 00 0001 'a' 03"),
    bad("subscribe 5.0 with retain handling 3", k5, to_server, protocol_error, "retain handling 3",
        "82 07 0001 00 0001 'a' 30"),
    bad("subscribe 5.0 with reserved bit 6", k5, to_server, malformed_packet, "[MQTT-3.8.3-5]",
        "82 07 0001 00 0001 'a' 40"),
    bad("subscribe 5.0 with reserved bit 7", k5, to_server, malformed_packet, "[MQTT-3.8.3-5]",
        "82 07 0001 00 0001 'a' 80"),
    bad("subscribe 5.0 shared with no local", k5, to_server, protocol_error, "[MQTT-3.8.3-4]",
        "82 10 0001 00 000a '$share/g/c' 04"),
    bad("subscribe to a filter with U+0000", kBefore5, to_server, malformed_packet, "[MQTT-3.8.3-1]",
        "82 07 0001 0002 'a' 00 00"),
    bad("subscribe 5.0 to an ill-formed filter", k5, to_server, malformed_packet, "[MQTT-3.8.3-1]",
        "82 08 0001 00 0002 c328 00"),
    bad("subscribe with an error in its second filter", kBefore5, to_server, malformed_packet, "[MQTT-3.8.3-1]",
        "82 0a 0001 0001 'a' 00 0001 ff 00"),
    bad("subscribe 5.0 with subscription identifier twice", k5, to_server, protocol_error, "property stands twice",
        "82 0b 0001 04 0b 01 0b 02 0001 'a' 00"),
    bad("subscribe 5.0 with subscription identifier 0", k5, to_server, protocol_error, "2.2.2.2",
        "82 09 0001 02 0b 00 0001 'a' 00"),
    bad("subscribe 5.0 with a padded subscription identifier", k5, to_server, malformed_packet, "not of its type",
        "82 0a 0001 03 0b 8100 0001 'a' 00"),
    bad("subscribe 5.0 with a subscription identifier of five bytes", k5, to_server, malformed_packet,
        "not of its type", "82 0d 0001 06 0b ffffffff01 0001 'a' 00"),
    bad("subscribe 5.0 with a reason string", k5, to_server, malformed_packet, "does not belong",
        "82 0b 0001 04 1f 0001 'x' 0001 'a' 00"),
    bad("subscribe 5.0 with a padded remaining length", k5, to_server, malformed_packet, "[MQTT-1.5.5-1]",
        "82 8700 0001 00 0001 'a' 00"),
};

inline constexpr RawPacket kSuback[] = {
    good("suback", kBefore5, to_client, "3.9", "90 03 0001 01"),
    good("suback with every code", kBefore5, to_client, "[MQTT-3.9.3-2 of 3.1.1]", "90 06 0001 00 01 02 80"),
    good("suback 5.0", k5, to_client, "3.9", "90 04 0001 00 02"),
    good("suback 5.0 with every code", k5, to_client, "[MQTT-3.9.3-2]",
         "90 0f 0001 00 00 01 02 80 83 87 8f 91 97 9e a1 a2"),
    good("suback 5.0 with properties", k5, to_client, "3.9.2.1", "90 10 0001 0c 1f 0002 'no' 26 0001 'k' 0001 'v' 87"),
    bad("suback with flags", kSince311, to_client, malformed_packet, "[MQTT-2.1.3-1]", "92 04 0001 00 00"),
    bad("suback without codes", kBefore5, to_client, protocol_error, "3.9.3", "90 02 0001"),
    bad("suback 5.0 without codes", k5, to_client, protocol_error, "3.9.3", "90 03 0001 00"),
    bad("suback with a reserved code", kBefore5, to_client, malformed_packet, "[MQTT-3.9.3-2 of 3.1.1]",
        "90 03 0001 03"),
    bad("suback 5.0 with a code of others", k5, to_client, protocol_error, "[MQTT-3.9.3-2]", "90 04 0001 00 11"),
    bad("suback with packet identifier 0", kEvery, to_client, protocol_error, "[MQTT-2.2.1-3]", "90 04 0000 00 00"),
    bad("suback cut", kEvery, to_client, malformed_packet, "4.13.1", "90 01 00"),
};

inline constexpr RawPacket kUnsubscribe[] = {
    good("unsubscribe", kBefore5, to_server, "3.10", "a2 07 0001 0003 'a/b'"),
    good("unsubscribe from two filters", kBefore5, to_server, "3.10.3", "a2 0a 0001 0003 'a/b' 0001 '#'"),
    loose("unsubscribe 3.1 again", k31, to_server, "3.10 of 3.1: DUP", "aa 07 0001 0003 'a/b'"),
    good("unsubscribe 5.0", k5, to_server, "3.10", "a2 08 0001 00 0003 'a/b'"),
    good("unsubscribe 5.0 with properties", k5, to_server, "3.10.2.1", "a2 0d 0001 07 26 0001 'k' 0001 'v' 0001 'a'"),
    bad("unsubscribe without its flag", kSince311, to_server, malformed_packet, "[MQTT-3.10.1-1]",
        "a0 06 0001 00 0001 'a'"),
    bad("unsubscribe from nothing", kBefore5, to_server, protocol_error, "[MQTT-3.10.3-2]", "a2 02 0001"),
    bad("unsubscribe 5.0 from nothing", k5, to_server, protocol_error, "[MQTT-3.10.3-2]", "a2 03 0001 00"),
    bad("unsubscribe with packet identifier 0", kEvery, to_server, protocol_error, "[MQTT-2.2.1-3]",
        "a2 06 0000 00 0001 'a'"),
    bad("unsubscribe cut in a filter", kBefore5, to_server, malformed_packet, "4.13.1", "a2 05 0001 0003 'a'"),
    bad("unsubscribe cut in a length", k5, to_server, malformed_packet, "4.13.1", "a2 07 0001 00 0001 'a' 00"),
    bad("unsubscribe from an ill-formed filter", kBefore5, to_server, malformed_packet, "[MQTT-3.10.3-1]",
        "a2 05 0001 0001 80"),
    bad("unsubscribe 5.0 from an ill-formed filter", k5, to_server, malformed_packet, "[MQTT-3.10.3-1]",
        "a2 08 0001 00 0003 eda080"),
    bad("unsubscribe 5.0 with a subscription identifier", k5, to_server, malformed_packet, "does not belong",
        "a2 08 0001 02 0b 01 0001 'a'"),
};

inline constexpr RawPacket kUnsuback[] = {
    good("unsuback", kBefore5, to_client, "3.11", "b0 02 0001"),
    good("unsuback 5.0 with every code", k5, to_client, "[MQTT-3.11.3-2]", "b0 0a 0001 00 00 11 80 83 87 8f 91"),
    good("unsuback 5.0 with properties", k5, to_client, "3.11.2.1", "b0 08 0001 04 1f 0001 'x' 11"),
    bad("unsuback with flags", kSince311, to_client, malformed_packet, "[MQTT-2.1.3-1]", "b1 02 0001"),
    bad("unsuback with bytes left", kBefore5, to_client, malformed_packet, "4.13.1", "b0 03 0001 00"),
    bad("unsuback 5.0 without property length", k5, to_client, malformed_packet, "[MQTT-1.5.5-1]", "b0 02 0001"),
    bad("unsuback 5.0 without codes", k5, to_client, protocol_error, "3.11.3", "b0 03 0001 00"),
    bad("unsuback 5.0 with a code of others", k5, to_client, protocol_error, "[MQTT-3.11.3-2]", "b0 04 0001 00 01"),
};

}  // namespace tidegate::test::table
