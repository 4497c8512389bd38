#include "config/validate.h"

namespace tidegate::config {
namespace {

// What the keys say together. False: the files need not be looked at.
bool keys_agree(const ListenerTls& tls, const std::string& at, Findings& findings) {
  bool agree = true;
  auto error = [&](const std::string& pointer, const std::string& message) {
    findings.error(pointer, message, {at});
    agree = false;
  };
  bool has_ca = !tls.ca_file.empty() || !tls.ca_path.empty();
  if (tls.cert_file.empty() != tls.key_file.empty())
    error(at, "cert_file and key_file go together");
  else if (tls.cert_file.empty() && tls.psk_file.empty())
    error(at, "TLS needs cert_file and key_file, or a psk_file; scripts/certs makes certificates for a trial");
  if (tls.require_certificate && !has_ca)
    error(at + "/require_certificate",
          "needs ca_file or ca_path: without a CA no certificate of a client is believed, and nobody could connect");
  if (!tls.crl_file.empty() && !has_ca) error(at + "/crl_file", "has no effect without ca_file or ca_path");
  if (tls.use_identity_as_username && tls.use_subject_as_username)
    error(at + "/use_subject_as_username", "one of use_identity_as_username and use_subject_as_username, not both");
  if (tls.use_identity_as_username && !has_ca && tls.psk_file.empty())
    error(at + "/use_identity_as_username", "needs ca_file, ca_path or psk_file: nobody could prove a name");
  if (tls.use_subject_as_username && !has_ca)
    error(at + "/use_subject_as_username", "needs ca_file or ca_path: nobody could prove a name");
  if (!tls.psk_hint.empty() && tls.psk_file.empty()) error(at + "/psk_hint", "has no effect without psk_file");
  return agree;
}

}  // namespace

void validate_tls(const Listener& listener, const std::string& at, const Outside& outside, Findings& findings) {
  if (!listener.tls) return;
  std::string here = at + "/tls";
  if (!keys_agree(*listener.tls, here, findings) || !outside.check_tls) return;
  for (const TlsFinding& found : outside.check_tls(*listener.tls)) {
    std::string pointer = here + (found.key.empty() ? "" : "/" + found.key);
    if (found.is_warning)
      findings.warning(pointer, found.what, {here});
    else
      findings.error(pointer, found.what, {here});
  }
}

}  // namespace tidegate::config
