// Ends TCP connections of this process to one remote end, whoever owns them.
//
// Paho acknowledges every QoS 1 message after its callback returns, whatever the callback says, and does not show its
// socket. When a message could not be stored, cutting the socket under Paho is what withholds the acknowledgement: the
// remote sends the message again on the next connection. Another bridge to the same remote end is cut as well and
// reconnects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace tidegate::bridge {

// Returns how many were cut. `numeric`: an IP address. Thread: any; never blocks.
size_t cut_sockets_to(const std::string& numeric, uint16_t port);

}  // namespace tidegate::bridge
