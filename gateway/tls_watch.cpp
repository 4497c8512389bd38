#include "gateway/tls_watch.h"

#include <fmt/format.h>

#include <utility>

#include "gateway/log/log.h"
#include "gateway/settings.h"

namespace tidegate {

config::Outside outside_with_tls() {
  config::Outside outside = config::real_outside();
  outside.check_tls = [](const config::ListenerTls& tls) {
    std::vector<net::TlsProblem> problems;
    (void)net::TlsContext::load(tls_of(tls), read_clock(), problems);
    std::vector<config::TlsFinding> findings;
    for (net::TlsProblem& each : problems) {
      findings.push_back({std::string(each.key), each.is_warning, std::move(each.what)});
    }
    return findings;
  };
  return outside;
}

Result<TlsContexts> TlsWatch::load(const std::vector<config::Listener>& listeners) {
  TlsContexts contexts;
  std::map<std::string, Watched> watched;
  for (const config::Listener& listener : listeners) {
    if (!listener.tls) continue;
    Watched& now = watched[listener.name];
    now.options = tls_of(*listener.tls);
    now.loaded = now.seen = net::tls_fingerprint(now.options);  // before reading: what changes meanwhile is seen later
    std::vector<net::TlsProblem> problems;
    auto context = net::TlsContext::load(now.options, read_clock(), problems);
    for (const net::TlsProblem& each : problems) {
      if (context || each.is_warning) continue;
      return fail(ErrorCode::invalid, fmt::format("listener {}: {}: {}", listener.name, each.key, each.what));
    }
    contexts.emplace(listener.name, std::move(context));
  }
  watched_ = std::move(watched);
  return contexts;
}

TlsContexts TlsWatch::changed() {
  TlsContexts contexts;
  for (auto& [listener, watched] : watched_) {
    std::string now = net::tls_fingerprint(watched.options);
    bool at_rest = now == watched.seen;
    watched.seen = now;
    if (now == watched.loaded || !at_rest) continue;
    watched.loaded = std::move(now);
    std::vector<net::TlsProblem> problems;
    auto context = net::TlsContext::load(watched.options, read_clock(), problems);
    for (const net::TlsProblem& each : problems) {
      auto level = each.is_warning ? log::Level::warning : log::Level::error;
      log::net.say(level, "TLS: listener={} key={} {}", listener, each.key, each.what);
    }
    if (!context) {
      log::net.error("TLS files not taken up, the old ones stay in use: listener={}", listener);
      continue;
    }
    log::net.info("TLS files taken up for new connections: listener={}", listener);
    contexts.emplace(listener, std::move(context));
  }
  return contexts;
}

}  // namespace tidegate
