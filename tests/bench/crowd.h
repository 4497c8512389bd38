// Many clients at once: what --idle and --storm share. One thread.
#pragma once

#include "tests/bench/client.h"
#include "tests/bench/options.h"

namespace bench {

constexpr uint32_t connecting_max = 50;  // at a time, where nobody is in a hurry: Mosquitto's listen backlog is 100

// Raises the limit of open files as far as it goes. Throws Failure where that is too little for `connections`.
void allow_open_files(uint32_t connections);

// The n-th of many: its client id, and its way, from a device's address of its own where the broker is on the loopback.
ClientOptions crowd_member(const LoadOptions& options, const Address& broker, uint32_t n);

}  // namespace bench
