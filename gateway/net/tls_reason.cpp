#include "gateway/net/tls_reason.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tidegate::net {
namespace {

constexpr int alert_of_client = 1000;  // SSL_R_... of a received alert is this plus the alert's number

struct Words {
  int reason;
  const char* words;
};
constexpr std::array<Words, 26> known = {{
    {SSL_R_HTTP_REQUEST, "it speaks HTTP without TLS"},
    {SSL_R_HTTPS_PROXY_REQUEST, "it takes this listener for an HTTP proxy"},
    {SSL_R_WRONG_VERSION_NUMBER, "it does not speak TLS: is it set up for a listener without TLS?"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "its TLS version is below min_version"},
    {SSL_R_VERSION_TOO_LOW, "its TLS version is below min_version"},
    {SSL_R_NO_SHARED_CIPHER, "it offers no cipher that this listener has"},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, "it cannot check this listener's kind of certificate"},
    {SSL_R_NO_SUITABLE_KEY_SHARE, "it offers no key exchange that this listener has"},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, "it sent no certificate, and require_certificate asks for one"},
    {SSL_R_NO_APPLICATION_PROTOCOL, "it offers none of the protocols in alpn"},
    {SSL_R_PSK_IDENTITY_NOT_FOUND, "psk_file does not have the name of its key"},
    {SSL_R_BINDER_DOES_NOT_VERIFY, "its pre-shared key is not the one in psk_file"},
    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, "its bytes cannot be decrypted: with a pre-shared key, a wrong key"},
    {SSL_R_BAD_SIGNATURE, "it does not have the key of its certificate"},
    {SSL_R_LENGTH_MISMATCH, "its handshake is broken"},
    {SSL_R_UNEXPECTED_MESSAGE, "its handshake is broken"},
    {SSL_R_PACKET_LENGTH_TOO_LONG, "it does not speak TLS"},
    {alert_of_client + SSL_AD_UNKNOWN_CA, "it does not know the CA of this listener's certificate"},
    {alert_of_client + SSL_AD_BAD_CERTIFICATE, "it does not accept this listener's certificate"},
    {alert_of_client + SSL_AD_CERTIFICATE_EXPIRED, "for it this listener's certificate has expired"},
    {alert_of_client + SSL_AD_CERTIFICATE_REVOKED, "for it this listener's certificate is revoked"},
    {alert_of_client + SSL_AD_CERTIFICATE_UNKNOWN, "it does not accept this listener's certificate"},
    {alert_of_client + SSL_AD_UNSUPPORTED_CERTIFICATE, "it cannot use this listener's kind of certificate"},
    {alert_of_client + SSL_AD_HANDSHAKE_FAILURE, "it ended the handshake"},
    {alert_of_client + SSL_AD_PROTOCOL_VERSION, "it does not have this listener's TLS versions"},
    {alert_of_client + SSL_AD_UNKNOWN_PSK_IDENTITY, "it does not know the pre-shared key"},
}};

std::string certificate_reason(long verify_result) {
  switch (verify_result) {
    case X509_V_ERR_CERT_REVOKED: return "its certificate is revoked";
    case X509_V_ERR_CERT_HAS_EXPIRED: return "its certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "its certificate is not valid yet: is this box's clock right?";
    case X509_V_ERR_CRL_HAS_EXPIRED: return "crl_file was to be renewed before today, so no certificate is believed";
    case X509_V_ERR_UNABLE_TO_GET_CRL: return "crl_file has no list of the CA of its certificate";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return "its certificate is not of a CA of this listener";
    case X509_V_ERR_INVALID_PURPOSE: return "its certificate is not made for clients";
    default: return std::string("its certificate is not believed: ") + X509_verify_cert_error_string(verify_result);
  }
}

}  // namespace

std::string newest_tls_error() {
  unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* words = code != 0 ? ERR_reason_error_string(code) : nullptr;
  return words ? words : "no reason given";
}

std::string handshake_reason(long verify_result) {
  unsigned long first = ERR_peek_error();
  std::string text;
  if (verify_result != X509_V_OK && ERR_GET_REASON(first) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    text = certificate_reason(verify_result);
  } else {
    bool of_tls = ERR_GET_LIB(first) == ERR_LIB_SSL;
    auto found = std::find_if(known.begin(), known.end(),
                              [&](const Words& each) { return of_tls && each.reason == ERR_GET_REASON(first); });
    const char* words = first != 0 ? ERR_reason_error_string(first) : nullptr;
    text = found != known.end() ? found->words : words ? words : "the handshake failed";
  }
  ERR_clear_error();
  return "TLS: " + text;
}

}  // namespace tidegate::net
