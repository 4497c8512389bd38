// What a TLS listener shows and believes: certificate, key, CA, revoked certificates and pre-shared keys, read from
// files. Immutable once loaded: a replacement on disk becomes another context, and connections keep theirs.
//
// Thread: `load` blocks on files, so not the core's; a context may be shared.
#pragma once

#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/time.h"
#include "gateway/net/tls_options.h"

namespace tidegate::net {

class TlsContext {
 public:
  // All problems at once. nullptr: at least one of them is no warning. `now` is for certificates that have expired.
  [[nodiscard]] static std::shared_ptr<const TlsContext> load(const TlsOptions& options, Now now,
                                                              std::vector<TlsProblem>& problems);

  [[nodiscard]] SSL_CTX* native() const { return context_.get(); }
  [[nodiscard]] const TlsOptions& options() const { return options_; }
  // The key of that name; nullptr: none.
  [[nodiscard]] const std::string* psk(std::string_view name) const;

  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

 private:
  explicit TlsContext(TlsOptions options);
  friend class TlsLoading;

  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  TlsOptions options_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::map<std::string, std::string, std::less<>> psk_;
  std::string alpn_;  // as on the wire
};

// Files whose change means a new context, with what tells a change: "PATH inode size mtime". One line each. Blocks.
[[nodiscard]] std::string tls_fingerprint(const TlsOptions& options);

}  // namespace tidegate::net
