// CONNECT (3.1) and CONNACK (3.2).
#pragma once

#include "tests/support/raw_packet.h"

namespace tidegate::test::table {

using enum Direction;
using enum mqtt::ReasonCode;

inline constexpr RawPacket kConnectBefore5[] = {
    good("connect 3.1 minimal", k31, to_server, "3.1",
         "10 0f 0006 'MQIsdp' 03"  // level 3
         "02 003c"                 // clean session, keep alive 60 s
         "0001 'a'"),
    good("connect 3.1 from a bridge", k31, to_server, "3.1.2.2",
         "10 0f 0006 'MQIsdp' 83"  // level 3 with the bridge bit
         "02 003c 0001 'a'"),
    good("connect 3.1 with will and credentials", k31, to_server, "3.1.3",
         "10 1c 0006 'MQIsdp' 03"
         "ee 003c"             // user name, password, will retain, will QoS 1, will, clean session
         "0001 'a'"            // client identifier
         "0001 'w' 0002 'wp'"  // will topic, will message
         "0001 'u' 0001 'p'"),
    good("connect 3.1 with an identifier of 24 bytes", k31, to_server, "3.1 of 3.1: 23 is not enforced",
         "10 26 0006 'MQIsdp' 03 02 003c 0018 78*24"),
    loose("connect 3.1 with flagged credentials missing", k31, to_server, "user name and password flags of 3.1",
          "10 0f 0006 'MQIsdp' 03 c2 003c 0001 'a'"),
    loose("connect 3.1 with flagged password missing", k31, to_server, "user name and password flags of 3.1",
          "10 12 0006 'MQIsdp' 03 c2 003c 0001 'a' 0001 'u'"),
    loose("connect 3.1 with bits that it does not look at", k31, to_server, "connect flags of 3.1",
          "1f 0f 0006 'MQIsdp' 03"
          "3b 003c"  // will retain and will QoS 3 without will, reserved bit
          "0001 'a'"),
    good("connect 3.1.1 minimal", k311, to_server, "3.1", "10 0d 0004 'MQTT' 04 02 003c 0001 'a'"),
    good("connect 3.1.1 without identifier", k311, to_server, "[MQTT-3.1.3-6 of 3.1.1]",
         "10 0c 0004 'MQTT' 04 02 003c 0000"),
    good("connect 3.1.1 without identifier for a session", k311, to_server,
         "[MQTT-3.1.3-8 of 3.1.1]: the broker's matter", "10 0c 0004 'MQTT' 04 00 003c 0000"),
    good("connect 3.1.1 from a bridge", k311, to_server, "3.1.2.2", "10 12 0004 'MQTT' 84 00 003c 0006 'bridge'"),
    good("connect 3.1.1 with will QoS 2", k311, to_server, "[MQTT-3.1.2-14 of 3.1.1]",
         "10 15 0004 'MQTT' 04"
         "14 0000"                      // will QoS 2, will; no keep alive
         "0001 'a' 0004 '$a/w' 0000"),  // an empty will message
    good("connect 3.1.1 with user name only", k311, to_server, "[MQTT-3.1.2-19 of 3.1.1]",
         "10 10 0004 'MQTT' 04 82 ffff 0001 'a' 0001 'u'"),
    good("connect 3.1.1 with empty user name and password", k311, to_server, "3.1.3.5",
         "10 11 0004 'MQTT' 04 c2 003c 0001 'a' 0000 0000"),
    good("connect 3.1.1 with a password that is not text", k311, to_server, "3.1.3.6",
         "10 15 0004 'MQTT' 04 c2 003c 0001 'a' 0001 'u' 0003 00ffc0"),
    good("connect 3.1.1 with a byte order mark in its identifier", k311, to_server, "[MQTT-1.5.4-3]",
         "10 11 0004 'MQTT' 04 02 003c 0005 efbbbf c3a4"),
    loose("connect 3.1.1 with a padded remaining length", k311, to_server, "2.2.3 of 3.1.1",
          "10 8d00 0004 'MQTT' 04 02 003c 0001 'a'"),

    bad("connect with an unknown protocol name", kEvery, to_server, unsupported_protocol_version, "[MQTT-3.1.2-2]",
        "10 0d 0004 'MQXX' 04 02 003c 0001 'a'"),
    bad("connect with an empty protocol name", kEvery, to_server, unsupported_protocol_version, "[MQTT-3.1.2-2]",
        "10 09 0000 04 02 003c 0001 'a'"),
    bad("connect with level 6", kEvery, to_server, unsupported_protocol_version, "[MQTT-3.1.2-2]",
        "10 0e 0004 'MQTT' 06 02 003c 00 0001 'a'"),
    bad("connect with level 0", kEvery, to_server, unsupported_protocol_version, "[MQTT-3.1.2-2]",
        "10 0d 0004 'MQTT' 00 02 003c 0001 'a'"),
    bad("connect MQTT with level 3", kEvery, to_server, unsupported_protocol_version, "[MQTT-3.1.2-2]",
        "10 0d 0004 'MQTT' 03 02 003c 0001 'a'"),
    bad("connect MQIsdp with level 4", kEvery, to_server, unsupported_protocol_version, "[MQTT-3.1.2-2]",
        "10 0f 0006 'MQIsdp' 04 02 003c 0001 'a'"),
    bad("connect 5.0 with the bridge bit", kEvery, to_server, unsupported_protocol_version, "[MQTT-3.1.2-2]",
        "10 0e 0004 'MQTT' 85 02 003c 00 0001 'a'"),
    bad("connect of nothing", kEvery, to_server, malformed_packet, "4.13.1", "10 00"),
    bad("connect cut in its protocol name", kEvery, to_server, malformed_packet, "4.13.1", "10 04 0004 'MQ'"),
    bad("connect cut before its flags", k311, to_server, malformed_packet, "4.13.1", "10 07 0004 'MQTT' 04"),
    bad("connect cut in its keep alive", k311, to_server, malformed_packet, "4.13.1", "10 09 0004 'MQTT' 04 02 00"),
    bad("connect without identifier field", k311, to_server, malformed_packet, "4.13.1",
        "10 0a 0004 'MQTT' 04 02 003c"),
    bad("connect cut in its identifier", k311, to_server, malformed_packet, "4.13.1",
        "10 0d 0004 'MQTT' 04 02 003c 0005 'a'"),
    bad("connect cut in its will", k311, to_server, malformed_packet, "4.13.1",
        "10 10 0004 'MQTT' 04 06 003c 0001 'a' 0001 'w'"),
    bad("connect 3.1.1 with user name missing", k311, to_server, malformed_packet, "4.13.1",
        "10 0d 0004 'MQTT' 04 82 003c 0001 'a'"),
    bad("connect 3.1.1 with password missing", k311, to_server, malformed_packet, "4.13.1",
        "10 10 0004 'MQTT' 04 c2 003c 0001 'a' 0001 'u'"),
    bad("connect with bytes left", k311, to_server, malformed_packet, "4.13.1",
        "10 0e 0004 'MQTT' 04 02 003c 0001 'a' 00"),
    bad("connect with a user name that has no flag", k311, to_server, malformed_packet, "4.13.1",
        "10 10 0004 'MQTT' 04 02 003c 0001 'a' 0001 'u'"),
    bad("connect with header flags", k311, to_server, malformed_packet, "[MQTT-2.1.3-1]",
        "11 0d 0004 'MQTT' 04 02 003c 0001 'a'"),
    bad("connect with the reserved flag", k311, to_server, malformed_packet, "[MQTT-3.1.2-3]",
        "10 0d 0004 'MQTT' 04 03 003c 0001 'a'"),
    bad("connect with will QoS but no will", k311, to_server, malformed_packet, "[MQTT-3.1.2-11]",
        "10 0d 0004 'MQTT' 04 0a 003c 0001 'a'"),
    bad("connect with will QoS 3 but no will", k311, to_server, malformed_packet, "[MQTT-3.1.2-11]",
        "10 0d 0004 'MQTT' 04 1a 003c 0001 'a'"),
    bad("connect with will retain but no will", k311, to_server, malformed_packet, "[MQTT-3.1.2-13]",
        "10 0d 0004 'MQTT' 04 22 003c 0001 'a'"),
    bad("connect with will QoS 3", k311, to_server, malformed_packet, "[MQTT-3.1.2-12]",
        "10 12 0004 'MQTT' 04 1e 003c 0001 'a' 0001 'w' 0000"),
    bad("connect 3.1 with will QoS 3", k31, to_server, malformed_packet, "[MQTT-3.1.2-12]",
        "10 14 0006 'MQIsdp' 03 1e 003c 0001 'a' 0001 'w' 0000"),
    bad("connect 3.1.1 with password but no user name", k311, to_server, malformed_packet, "[MQTT-3.1.2-22 of 3.1.1]",
        "10 10 0004 'MQTT' 04 42 003c 0001 'a' 0001 'p'"),
    bad("connect 3.1 with password but no user name", k31, to_server, malformed_packet, "[MQTT-3.1.2-22 of 3.1.1]",
        "10 12 0006 'MQIsdp' 03 42 003c 0001 'a' 0001 'p'"),
    bad("connect with U+0000 in its identifier", k311, to_server, malformed_packet, "[MQTT-3.1.3-4]",
        "10 0f 0004 'MQTT' 04 02 003c 0003 'a' 00 'b'"),
    bad("connect with a surrogate in its identifier", k311, to_server, malformed_packet, "[MQTT-3.1.3-4]",
        "10 0f 0004 'MQTT' 04 02 003c 0003 eda080"),
    bad("connect with an overlong character in its identifier", k311, to_server, malformed_packet, "[MQTT-3.1.3-4]",
        "10 0e 0004 'MQTT' 04 02 003c 0002 c080"),
    bad("connect with ill-formed user name", k311, to_server, malformed_packet, "[MQTT-3.1.3-12]",
        "10 10 0004 'MQTT' 04 82 003c 0001 'a' 0001 ff"),
    bad("connect with an ill-formed will topic", k311, to_server, malformed_packet, "[MQTT-1.5.4-1]",
        "10 12 0004 'MQTT' 04 06 003c 0001 'a' 0001 ff 0000"),
    bad("connect with an empty will topic", k311, to_server, protocol_error, "[MQTT-4.7.3-1]",
        "10 11 0004 'MQTT' 04 06 003c 0001 'a' 0000 0000"),
    bad("connect with a wildcard in its will topic", k311, to_server, topic_name_invalid, "[MQTT-3.3.2-2]",
        "10 14 0004 'MQTT' 04 06 003c 0001 'a' 0003 'w/#' 0000"),
};

inline constexpr RawPacket kConnect5[] = {
    good("connect 5.0 minimal", k5, to_server, "3.1", "10 0e 0004 'MQTT' 05 02 003c 00 0001 'a'"),
    good("connect 5.0 with password but no user name", k5, to_server, "3.1.2.9",
         "10 11 0004 'MQTT' 05 42 003c 00 0001 'a' 0001 'p'"),
    good("connect 5.0 with every property", k5, to_server, "3.1.2.11",
         "10 3d 0004 'MQTT' 05 00 003c"
         "2f 11 0000000a"                // session expiry interval
         "21 0014"                       // receive maximum
         "27 00001000"                   // maximum packet size
         "22 000a"                       // topic alias maximum
         "19 01"                         // request response information
         "17 00"                         // request problem information
         "26 0001 'k' 0001 'v'"          // user property
         "26 0001 'k' 0001 'v'"          // the same again is allowed
         "15 0005 'plain' 16 0002 00ff"  // authentication method and data
         "0001 'a'"),
    good("connect 5.0 with every will property", k5, to_server, "3.1.3.2",
         "10 40 0004 'MQTT' 05 36 003c 00 0001 'a'"
         "2a 18 00000005"        // will delay interval
         "01 01"                 // payload format indicator
         "02 00000e10"           // message expiry interval
         "03 000a 'text/plain'"  // content type
         "08 0003 'r/t'"         // response topic
         "09 0002 00ff"          // correlation data
         "26 0001 'k' 0000"      // user property
         "0001 'w' 0002 'wp'"),
    bad("connect 5.0 with a padded remaining length", k5, to_server, malformed_packet, "[MQTT-1.5.5-1]",
        "10 8e00 0004 'MQTT' 05 02 003c 00 0001 'a'"),
    bad("connect 5.0 with a padded property length", k5, to_server, malformed_packet, "[MQTT-1.5.5-1]",
        "10 0f 0004 'MQTT' 05 02 003c 8000 0001 'a'"),
    bad("connect 5.0 without property length", k5, to_server, malformed_packet, "[MQTT-1.5.5-1]",
        "10 0a 0004 'MQTT' 05 02 003c"),
    bad("connect 5.0 with properties that run over its end", k5, to_server, malformed_packet, "2.2.2.1",
        "10 0e 0004 'MQTT' 05 02 003c 7f 0001 'a'"),
    bad("connect 5.0 with header flags", k5, to_server, malformed_packet, "[MQTT-2.1.3-1]",
        "18 0e 0004 'MQTT' 05 02 003c 00 0001 'a'"),
    bad("connect 5.0 with the reserved flag", k5, to_server, malformed_packet, "[MQTT-3.1.2-3]",
        "10 0e 0004 'MQTT' 05 03 003c 00 0001 'a'"),
    bad("connect 5.0 with will QoS but no will", k5, to_server, malformed_packet, "[MQTT-3.1.2-11]",
        "10 0e 0004 'MQTT' 05 12 003c 00 0001 'a'"),
    bad("connect 5.0 with will retain but no will", k5, to_server, malformed_packet, "[MQTT-3.1.2-13]",
        "10 0e 0004 'MQTT' 05 22 003c 00 0001 'a'"),
    bad("connect 5.0 with will QoS 3", k5, to_server, malformed_packet, "[MQTT-3.1.2-12]",
        "10 14 0004 'MQTT' 05 1e 003c 00 0001 'a' 00 0001 'w' 0000"),
    bad("connect 5.0 with authentication data but no method", k5, to_server, protocol_error, "3.1.2.11.10",
        "10 12 0004 'MQTT' 05 02 003c 04 16 0001 00 0001 'a'"),
    bad("connect 5.0 with receive maximum 0", k5, to_server, protocol_error, "2.2.2.2",
        "10 11 0004 'MQTT' 05 02 003c 03 21 0000 0001 'a'"),
    bad("connect 5.0 with maximum packet size 0", k5, to_server, protocol_error, "2.2.2.2",
        "10 13 0004 'MQTT' 05 02 003c 05 27 00000000 0001 'a'"),
    bad("connect 5.0 with request problem information 2", k5, to_server, protocol_error, "2.2.2.2",
        "10 10 0004 'MQTT' 05 02 003c 02 17 02 0001 'a'"),
    bad("connect 5.0 with session expiry twice", k5, to_server, protocol_error, "property stands twice",
        "10 18 0004 'MQTT' 05 02 003c 0a 11 00000001 11 00000001 0001 'a'"),
    bad("connect 5.0 with a will property of its own", k5, to_server, malformed_packet, "does not belong",
        "10 13 0004 'MQTT' 05 02 003c 05 18 00000001 0001 'a'"),
    bad("connect 5.0 with a connect property in its will", k5, to_server, malformed_packet, "does not belong",
        "10 19 0004 'MQTT' 05 06 003c 00 0001 'a' 05 11 00000001 0001 'w' 0000"),
    bad("connect 5.0 with a wildcard in its response topic", k5, to_server, protocol_error, "[MQTT-3.3.2-14]",
        "10 1a 0004 'MQTT' 05 06 003c 00 0001 'a' 06 08 0003 'r/+' 0001 'w' 0000"),
    bad("connect 5.0 with an empty will topic", k5, to_server, protocol_error, "[MQTT-4.7.3-1]",
        "10 13 0004 'MQTT' 05 06 003c 00 0001 'a' 00 0000 0000"),
    bad("connect 5.0 with a wildcard in its will topic", k5, to_server, topic_name_invalid, "[MQTT-3.3.2-2]",
        "10 14 0004 'MQTT' 05 06 003c 00 0001 'a' 00 0001 '+' 0000"),
    bad("connect 5.0 with bytes left", k5, to_server, malformed_packet, "4.13.1",
        "10 0f 0004 'MQTT' 05 02 003c 00 0001 'a' 00"),
};

inline constexpr RawPacket kConnack[] = {
    good("connack accepted", kBefore5, to_client, "3.2", "20 02 00 00"),
    good("connack accepted with session", k311, to_client, "[MQTT-3.2.2-3]", "20 02 01 00"),
    good("connack refused", kBefore5, to_client, "3.2.2.3 of 3.1.1", "20 02 00 05"),
    loose("connack 3.1 with a byte that it does not look at", k31, to_client, "3.2 of 3.1", "20 02 ff 00"),
    good("connack 5.0 accepted", k5, to_client, "3.2", "20 03 01 00 00"),
    good("connack 5.0 refused", k5, to_client, "3.2.2.2", "20 08 00 87 05 1f 0002 'no'"),
    good("connack 5.0 with every property", k5, to_client, "3.2.2.3",
         "20 49 00 00"
         "46 11 0000000a"                // session expiry interval
         "21 0014"                       // receive maximum
         "24 01 25 01"                   // maximum QoS, retain available
         "27 00001000"                   // maximum packet size
         "12 0003 'c-1'"                 // assigned client identifier
         "22 000a"                       // topic alias maximum
         "1f 0002 'ok'"                  // reason string
         "26 0001 'k' 0001 'v'"          // user property
         "28 01 29 00 2a 01"             // wildcards, subscription identifiers, shared subscriptions available
         "13 003c"                       // server keep alive
         "1a 0002 'ri' 1c 0002 's2'"     // response information, server reference
         "15 0005 'plain' 16 0002 00ff"  // authentication method and data
         ),
    bad("connack with header flags", kSince311, to_client, malformed_packet, "[MQTT-2.1.3-1]", "22 02 00 00"),
    bad("connack with reserved flags", kSince311, to_client, malformed_packet, "[MQTT-3.2.2-1]", "20 03 02 00 00"),
    bad("connack refused with session", kSince311, to_client, protocol_error, "[MQTT-3.2.2-6]", "20 03 01 05 00"),
    bad("connack with a reserved code", kBefore5, to_client, malformed_packet, "3.2.2.3", "20 02 00 06"),
    bad("connack 5.0 with a code of others", k5, to_client, protocol_error, "[MQTT-3.2.2-8]", "20 03 00 8e 00"),
    bad("connack cut", kEvery, to_client, malformed_packet, "4.13.1", "20 01 00"),
    bad("connack with bytes left", kBefore5, to_client, malformed_packet, "4.13.1", "20 03 00 00 00"),
    bad("connack 5.0 with bytes left", k5, to_client, malformed_packet, "4.13.1", "20 04 00 00 00 00"),
    bad("connack 5.0 without property length", k5, to_client, malformed_packet, "[MQTT-1.5.5-1]", "20 02 00 00"),
    bad("connack 5.0 with maximum QoS 2", k5, to_client, protocol_error, "2.2.2.2", "20 05 00 00 02 24 02"),
};

}  // namespace tidegate::test::table
