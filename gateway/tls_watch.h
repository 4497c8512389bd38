// The files of the listeners' TLS: checked with the configuration, loaded at start, and watched while running. A good
// replacement is taken up, a bad one is told and the old context kept.
//
// Thread: one at a time; blocks on files, so not the core's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/outside.h"
#include "gateway/base/result.h"
#include "gateway/net/tls_context.h"

namespace tidegate {

// The operating system's, with an eye for certificates: what a configuration is checked by.
[[nodiscard]] config::Outside outside_with_tls();

using TlsContexts = std::map<std::string, std::shared_ptr<const net::TlsContext>>;  // by listener

class TlsWatch {
 public:
  // Of all listeners with TLS, read anew. The error names the listener, the file and what is wrong; then the watch goes
  // on as it was.
  [[nodiscard]] Result<TlsContexts> load(const std::vector<config::Listener>& listeners);

  // Those whose files were replaced since, once they have been at rest from one call to the next: a certificate and its
  // key are rarely replaced in one moment. Says in the log what was taken up, and what is wrong with a bad replacement.
  [[nodiscard]] TlsContexts changed();

 private:
  struct Watched {
    net::TlsOptions options;
    std::string loaded;  // fingerprint of what was loaded, or refused
    std::string seen;    // at the last call
  };
  std::map<std::string, Watched> watched_;  // by listener
};

}  // namespace tidegate
