#include "config/config.h"

#include <utility>

namespace tidegate::config {

std::vector<Listener> default_listeners(const Limits& limits, bool allow_anonymous) {
  Listener v4{.name = "loopback", .bind = "127.0.0.1", .allow_anonymous = allow_anonymous, .limits = limits};
  Listener v6{.name = "loopback-v6", .bind = "::1", .allow_anonymous = allow_anonymous, .limits = limits};
  return {std::move(v4), std::move(v6)};
}

Config default_config(std::string gateway_name, std::string store_path) {
  Config config;
  config.gateway.name = std::move(gateway_name);
  config.store.path = std::move(store_path);
  config.listeners = default_listeners(config.limits, true);
  return config;
}

}  // namespace tidegate::config
