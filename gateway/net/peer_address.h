// Who is at the other end of a socket, for the log.
#pragma once

#include <sys/socket.h>

#include <string>

namespace tidegate::net {

// "192.168.1.7:49152", "[2001:db8::1]:49152", "unix:uid=1000,pid=4242"; "?" if it has gone already.
[[nodiscard]] std::string peer_text(int socket);

}  // namespace tidegate::net
