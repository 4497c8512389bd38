// PUBLISH (3.3) and its acknowledgements: PUBACK (3.4), PUBREC (3.5), PUBREL (3.6), PUBCOMP (3.7).
#pragma once

#include "tests/support/raw_packet.h"

namespace tidegate::test::table {

using enum Direction;
using enum mqtt::ReasonCode;

inline constexpr RawPacket kPublish[] = {
    good("publish QoS 0", kBefore5, both, "3.3", "30 0a 0003 'a/b' 'hello'"),
    good("publish QoS 1", kBefore5, both, "3.3", "32 0c 0003 'a/b' 0001 'hello'"),
    good("publish QoS 2", kBefore5, both, "3.3", "34 0c 0003 'a/b' ffff 'hello'"),
    good("publish QoS 1 again and retained", kBefore5, both, "3.3.1", "3b 0c 0003 'a/b' 0001 'hello'"),
    good("publish retained of nothing", kBefore5, both, "[MQTT-3.3.1-10 of 3.1.1]", "31 05 0003 'a/b'"),
    good("publish with a long payload", kBefore5, both, "2.1.4", "30 cb 01 0001 'a' 61*200"),
    good("publish to a topic beyond ASCII", kBefore5, both, "1.5.4", "30 0b 0009 'a/' e6b8a9 e5baa6 '/'"),
    good("publish to a reserved topic", kBefore5, both, "4.7.2: the broker's matter", "30 07 0004 '$SYS' 'x'"),
    loose("publish with a padded remaining length", kBefore5, both, "2.2.3 of 3.1.1", "30 8480 00 0001 'a' 'x'"),
    good("publish 5.0 QoS 0", k5, both, "3.3", "30 0b 0003 'a/b' 00 'hello'"),
    good("publish 5.0 QoS 1", k5, both, "3.3", "32 0d 0003 'a/b' 0001 00 'hello'"),
    good("publish 5.0 QoS 2 again", k5, both, "3.3", "3c 0d 0003 'a/b' 0001 00 'hello'"),
    good("publish 5.0 with an alias for its topic", k5, both, "3.3.2.3.4", "30 0b 0000 03 23 0001 'hello'"),
    good("publish 5.0 with every property", k5, to_client, "3.3.2.3",
         "33 44 0003 'a/b' 0102"
         "37 01 01"              // payload format indicator
         "02 00000e10"           // message expiry interval
         "23 0005"               // topic alias
         "08 0003 'r/t'"         // response topic
         "09 0002 00ff"          // correlation data
         "26 0001 'k' 0001 'v'"  // user properties
         "26 0001 'k' 0001 'w'"
         "0b 01 0b ffffff7f"     // subscription identifiers: may repeat here
         "03 000a 'text/plain'"  // content type
         "'hello'"),
    good("publish 5.0 with long properties", k5, both, "2.2.2.1", "30 d1 01 0001 'a' cb 01 09 00c8 61*200 'x'"),

    bad("publish QoS 3", kBefore5, both, malformed_packet, "[MQTT-3.3.1-4]", "36 06 0001 'a' 0001 'x'"),
    bad("publish 5.0 QoS 3", k5, both, malformed_packet, "[MQTT-3.3.1-4]", "36 07 0001 'a' 0001 00 'x'"),
    bad("publish QoS 0 again", kEvery, both, malformed_packet, "[MQTT-3.3.1-2]", "38 05 0001 'a' 00 'x'"),
    bad("publish with packet identifier 0", kEvery, both, protocol_error, "[MQTT-2.2.1-3]",
        "32 07 0001 'a' 0000 00 'x'"),
    bad("publish of nothing", kEvery, both, malformed_packet, "4.13.1", "30 00"),
    bad("publish cut in its topic", kEvery, both, malformed_packet, "4.13.1", "30 05 0005 'a/b'"),
    bad("publish cut in its packet identifier", kEvery, both, malformed_packet, "4.13.1", "32 06 0003 'a/b' 00"),
    bad("publish to an empty topic", kBefore5, both, protocol_error, "[MQTT-4.7.3-1]", "30 04 0000 00 'x'"),
    bad("publish 5.0 to an empty topic without alias", k5, both, protocol_error, "[MQTT-4.7.3-1]", "30 04 0000 00 'x'"),
    bad("publish to a topic with #", kEvery, both, topic_name_invalid, "[MQTT-3.3.2-2]", "30 07 0003 'a/#' 00 'x'"),
    bad("publish to a topic with + inside", kEvery, both, topic_name_invalid, "[MQTT-3.3.2-2]",
        "30 07 0003 'a+b' 00 'x'"),
    bad("publish to a topic with U+0000", kEvery, both, malformed_packet, "[MQTT-1.5.4-1]",
        "30 07 0003 'a' 00 'b' 00 'x'"),
    bad("publish to a topic with a surrogate", kEvery, both, malformed_packet, "[MQTT-1.5.4-1]",
        "30 09 0005 'a/' edbfbf 00 'x'"),
    bad("publish to a topic beyond U+10FFFF", kEvery, both, malformed_packet, "[MQTT-1.5.4-1]",
        "30 08 0004 f4908080 00 'x'"),
    bad("publish to a topic cut in a character", kEvery, both, malformed_packet, "[MQTT-1.5.4-1]",
        "30 07 0003 'a' e6b8 00 'x'"),
    bad("publish 5.0 with a padded remaining length", k5, both, malformed_packet, "[MQTT-1.5.5-1]",
        "30 8500 0001 'a' 00 'x'"),
    bad("publish 5.0 without property length", k5, both, malformed_packet, "[MQTT-1.5.5-1]", "30 05 0003 'a/b'"),
    bad("publish 5.0 with a padded property length", k5, both, malformed_packet, "[MQTT-1.5.5-1]",
        "30 08 0003 'a/b' 8000 'x'"),
    bad("publish 5.0 with a property length of five bytes", k5, both, malformed_packet, "[MQTT-1.5.5-1]",
        "30 0b 0003 'a/b' ffffffff01 'x'"),
    bad("publish 5.0 with properties that run over its end", k5, both, malformed_packet, "2.2.2.1",
        "30 08 0003 'a/b' 05 01 01"),
    bad("publish 5.0 with topic alias 0", k5, both, topic_alias_invalid, "[MQTT-3.3.2-8]",
        "30 08 0001 'a' 03 23 0000 'x'"),
    bad("publish 5.0 with topic alias twice", k5, both, protocol_error, "property stands twice",
        "30 0b 0001 'a' 06 23 0001 23 0002 'x'"),
    bad("publish 5.0 with payload format indicator 2", k5, both, protocol_error, "2.2.2.2",
        "30 07 0001 'a' 02 01 02 'x'"),
    bad("publish 5.0 with subscription identifier 0", k5, both, protocol_error, "2.2.2.2",
        "30 07 0001 'a' 02 0b 00 'x'"),
    bad("publish 5.0 with a response topic with a wildcard", k5, both, protocol_error, "[MQTT-3.3.2-14]",
        "30 0b 0001 'a' 06 08 0003 'r/#' 'x'"),
    bad("publish 5.0 with an empty response topic", k5, both, protocol_error, "[MQTT-3.3.2-14]",
        "30 08 0001 'a' 03 08 0000 'x'"),
    bad("publish 5.0 with an ill-formed response topic", k5, both, malformed_packet, "[MQTT-3.3.2-13]",
        "30 09 0001 'a' 04 08 0001 ff 'x'"),
    bad("publish 5.0 with will delay", k5, both, malformed_packet, "does not belong",
        "30 0a 0001 'a' 05 18 00000001 'x'"),
};

inline constexpr RawPacket kAcks[] = {
    good("puback", kEvery, both, "3.4", "40 02 0001"),
    good("pubrec", kEvery, both, "3.5", "50 02 0001"),
    good("pubrel", kEvery, both, "3.6", "62 02 0001"),
    good("pubcomp", kEvery, both, "3.7", "70 02 ffff"),
    good("puback 5.0 without matching subscribers", k5, both, "3.4.2.1", "40 03 0001 10"),
    good("puback 5.0 with properties", k5, both, "3.4.2.2", "40 12 0001 97 0e 1f 0004 'full' 26 0001 'k' 0001 'v'"),
    good("puback 5.0 with success and properties", k5, both, "3.4.2.2", "40 0b 0001 00 07 1f 0004 'fine'"),
    good("pubrec 5.0 with an error", k5, both, "3.5.2.1", "50 03 0001 87"),
    good("pubrec 5.0 with properties", k5, both, "3.5.2.2", "50 09 0001 99 05 26 0000 0000"),
    good("pubrel 5.0 with an error", k5, both, "3.6.2.1", "62 03 0001 92"),
    good("pubrel 5.0 with properties", k5, both, "3.6.2.2", "62 08 0001 92 04 1f 0001 'x'"),
    good("pubcomp 5.0 with an error", k5, both, "3.7.2.1", "70 03 0001 92"),
    good("pubcomp 5.0 with properties", k5, both, "3.7.2.2", "70 08 0001 00 04 1f 0001 'x'"),
    loose("puback 5.0 with success spelled out", k5, both, "3.4.2.1", "40 03 0001 00"),
    loose("puback 5.0 with empty properties", k5, both, "3.4.2.2.1", "40 04 0001 00 00"),
    loose("pubrel 3.1 again", k31, both, "3.6 of 3.1: DUP", "6a 02 0001"),

    bad("puback with flags", kSince311, both, malformed_packet, "[MQTT-2.1.3-1]", "42 02 0001"),
    bad("pubrec with flags", kSince311, both, malformed_packet, "[MQTT-2.1.3-1]", "58 02 0001"),
    bad("pubrel without its flag", kSince311, both, malformed_packet, "[MQTT-3.6.1-1]", "60 02 0001"),
    bad("pubrel with a flag too many", kSince311, both, malformed_packet, "[MQTT-3.6.1-1]", "6a 02 0001"),
    bad("pubcomp with flags", kSince311, both, malformed_packet, "[MQTT-2.1.3-1]", "71 02 0001"),
    bad("puback of nothing", kEvery, both, malformed_packet, "4.13.1", "40 00"),
    bad("pubrec cut", kEvery, both, malformed_packet, "4.13.1", "50 01 00"),
    bad("puback with packet identifier 0", kEvery, both, protocol_error, "[MQTT-2.2.1-3]", "40 02 0000"),
    bad("pubrel with packet identifier 0", kEvery, both, protocol_error, "[MQTT-2.2.1-3]", "62 02 0000"),
    bad("puback with bytes left", kBefore5, both, malformed_packet, "4.13.1", "40 03 0001 00"),
    bad("pubcomp with bytes left", kBefore5, both, malformed_packet, "4.13.1", "70 04 0001 00 00"),
    bad("puback 5.0 with bytes left", k5, both, malformed_packet, "4.13.1", "40 05 0001 00 00 00"),
    bad("puback 5.0 with a code of others", k5, both, protocol_error, "[MQTT-3.4.2-1]", "40 03 0001 92"),
    bad("pubrec 5.0 with a code of others", k5, both, protocol_error, "[MQTT-3.5.2-1]", "50 03 0001 81"),
    bad("pubrel 5.0 with a code of others", k5, both, protocol_error, "[MQTT-3.6.2-1]", "62 03 0001 80"),
    bad("pubcomp 5.0 with a code of others", k5, both, protocol_error, "[MQTT-3.7.2-1]", "70 03 0001 10"),
    bad("puback 5.0 with a code that nobody knows", k5, both, protocol_error, "[MQTT-3.4.2-1]", "40 03 0001 7f"),
    bad("puback 5.0 with reason string twice", k5, both, protocol_error, "property stands twice",
        "40 0c 0001 00 08 1f 0001 'x' 1f 0001 'x'"),
    bad("puback 5.0 with a property of others", k5, both, malformed_packet, "does not belong",
        "40 07 0001 00 03 23 0001"),
    bad("puback 5.0 with a padded remaining length", k5, both, malformed_packet, "[MQTT-1.5.5-1]", "40 8200 0001"),
};

}  // namespace tidegate::test::table
