// From the configuration's structs to what the parts take; the only place that knows both.
#pragma once

#include <memory>

#include "bridge/options.h"
#include "config/config.h"
#include "gateway/access/acl.h"
#include "gateway/broker/limits.h"
#include "gateway/net/listener.h"
#include "gateway/net/tls_options.h"
#include "store/committer.h"

namespace tidegate {

[[nodiscard]] broker::Limits limits_of(const config::Limits& limits);
[[nodiscard]] net::TlsOptions tls_of(const config::ListenerTls& tls);
// Without the TLS context.
[[nodiscard]] net::ListenerOptions listener_of(const config::Listener& listener, const config::Access& access);
[[nodiscard]] net::GuardLimits guards_of(const config::Limits& limits);
// None: whoever may log in may do everything.
[[nodiscard]] std::shared_ptr<const access::Acl> acl_of(const config::Access& access);
[[nodiscard]] bridge::Options bridge_of(const config::Bridge& bridge);
[[nodiscard]] store::Durability durability_of(config::Durability durability);

}  // namespace tidegate
