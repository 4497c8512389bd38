// Why a TLS handshake came to nothing, in words for a person: OpenSSL's are for programmers.
#pragma once

#include <string>

namespace tidegate::net {

// Of the newest error of this thread's queue, which is emptied. `verify_result`: SSL_get_verify_result, or 0.
[[nodiscard]] std::string handshake_reason(long verify_result);

// OpenSSL's own words of the newest error; the queue is emptied.
[[nodiscard]] std::string newest_tls_error();

}  // namespace tidegate::net
