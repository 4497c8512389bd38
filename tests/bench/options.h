// What one run of tidegate-load does: plain data with defaults. The command line is one way to fill it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "tests/bench/link.h"
#include "tests/bench/wire.h"

namespace bench {

enum class Mode : uint8_t {
  both,       // publish and subscribe, and compare
  publish,    // publish only
  subscribe,  // collect until quiet
  enrol,      // connect, subscribe, leave: a persistent session begins to collect
  idle,       // hold connections that do nothing
  storm,      // connections that all break, and all come back
};

struct LoadOptions {
  Mode mode = Mode::both;

  std::string host = "127.0.0.1";
  uint16_t port = 1883;
  std::string sub_host;   // default: host. Another broker behind a bridge
  uint16_t sub_port = 0;  // default: port
  Version version = Version::v311;
  std::string id;  // prefix of the client ids
  bool persistent = false;
  Path path;
  bool tls = false;
  std::string ca_file;

  uint32_t publishers = 1;
  uint32_t subscribers = 1;
  bool pairs = false;    // subscriber n hears publisher n only
  uint32_t filters = 0;  // of each subscriber: TOPIC/+/dev/N/#; 0 = one filter for everything
  uint32_t topics = 1;   // of each publisher
  bool retain = false;
  bool retained = false;  // publish first, subscribe when all is acknowledged
  std::string topic = "load";
  std::string sub_prefix;  // before TOPIC in the filters: what a bridge puts there

  uint8_t pub_qos = 0;
  uint8_t sub_qos = 0;
  size_t payload_bytes = 64;
  uint32_t window = 64;          // unacknowledged per publisher, QoS 1 and 2
  double rate_per_s = 0;         // of all publishers together; 0 = as fast as it goes
  uint64_t messages = 100000;    // of all publishers together
  double seconds = 0;            // of publishing, in place of `messages`
  uint64_t max_in_flight = 0;    // published and not yet arrived everywhere; 0 = no limit
  size_t coalesce_bytes = 4096;  // written at once by a publisher; 0 = every message by itself
  uint64_t first_sequence = 1;
  uint32_t run = 0;  // of the stamps; subscribe: 0 takes any

  double settle_s = 0.1;  // between the last SUBACK and the first message
  double quiet_s = 3;     // without an arrival: what is missing is lost
  double timeout_s = 60;

  uint32_t idle = 0;
  double hold_s = 0;  // idle: keeps the connections so much longer
  uint32_t storm = 0;
  uint16_t plain_port = 0;   // storm: of the same broker, for probes without TLS
  uint32_t per_address = 1;  // idle, storm: clients that come from one address of the loopback
  pid_t pid = 0;             // the broker's

  std::string acked_file;
  std::string received_file;
  std::string check_acked;
  bool json = false;
  bool strict = false;
};

// Fills `options` from the command line. Returns -1 to go on, or the exit code to end with (help, or a mistake).
int parse_command_line(int argc, char** argv, LoadOptions& options);

}  // namespace bench
