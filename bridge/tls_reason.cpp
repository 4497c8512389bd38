#include "bridge/tls_reason.h"

#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cstring>
#include <utility>

namespace tidegate::bridge {
namespace {

thread_local TlsOutcome last_outcome;

}  // namespace

TlsOutcome take_tls_outcome() {
  return std::exchange(last_outcome, {});
}

void note_tls_outcome(SSL* ssl, int rc) {
  last_outcome = {};
  if (rc == 1) {
    last_outcome.finished = last_outcome.established = true;
    return;
  }
  const int error = SSL_get_error(ssl, rc);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
  last_outcome.finished = true;
  if (unsigned long code = ERR_peek_last_error()) {
    const char* reason = ERR_reason_error_string(code);
    last_outcome.reason = reason ? reason : "";
  } else if (error == SSL_ERROR_SYSCALL) {
    last_outcome.reason = "the remote closed the connection during the TLS handshake";
  }
  const long verify = SSL_get_verify_result(ssl);
  if (verify != X509_V_OK) last_outcome.reason += std::string(": ") + X509_verify_cert_error_string(verify);
}

}  // namespace tidegate::bridge

extern "C" __attribute__((visibility("default"))) int SSL_connect(SSL* ssl) {
  static const auto real = reinterpret_cast<int (*)(SSL*)>(dlsym(RTLD_NEXT, "SSL_connect"));
  const int rc = real ? real(ssl) : -1;
  tidegate::bridge::note_tls_outcome(ssl, rc);
  return rc;
}
