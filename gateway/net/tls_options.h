// TLS of a listener as it is configured, and what can be wrong with it. Plain data.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidegate::net {

enum class TlsVersion : uint8_t { v1_2, v1_3 };

struct TlsOptions {
  std::string cert_file;  // PEM, with its chain
  std::string key_file;   // PEM, mode 0640 at most
  std::string ca_file;    // whose certificates of clients are believed: PEM
  std::string ca_path;    // or a folder of hashed PEM files
  std::string crl_file;   // PEM; certificates that are believed no more
  bool require_certificate = false;
  bool use_identity_as_username = false;  // the certificate's CN, or the name of the pre-shared key
  bool use_subject_as_username = false;
  std::string psk_file;  // lines of NAME:HEX, mode 0640 at most
  std::string psk_hint;
  TlsVersion min_version = TlsVersion::v1_2;
  std::string ciphers;            // of TLS 1.2, OpenSSL's words; empty: the library's
  std::string ciphers_tls1_3;     // likewise
  std::vector<std::string> alpn;  // answered if a client asks, the first that it offers; empty: not answered

  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

// Of one key of the options; `what` is a sentence for a person and holds no secret.
struct TlsProblem {
  std::string_view key;  // "key_file"
  bool is_warning = false;
  std::string what;
};

}  // namespace tidegate::net
