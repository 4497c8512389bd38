// Why a TLS handshake of Paho's failed, in OpenSSL's words.
//
// Paho takes the errors off OpenSSL's queue and logs them, and its error handler cannot be used from C++ 1.2.0 (it would
// point into a copy of the options that is gone). So the executable has its own SSL_connect, which calls OpenSSL's and
// looks before Paho does.
#pragma once

#include <string>

namespace tidegate::bridge {

// Of this thread's last finished SSL_connect; taken once. Empty: none.
struct TlsOutcome {
  bool finished = false;
  bool established = false;  // then a failure afterwards was Paho's check of the host name
  std::string reason;
};
[[nodiscard]] TlsOutcome take_tls_outcome();

}  // namespace tidegate::bridge
