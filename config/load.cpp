#include "config/load.h"

#include <utility>

#include "config/access_files.h"
#include "config/include.h"
#include "config/reading.h"
#include "config/schema.h"
#include "config/validate.h"

namespace tidegate::config {
namespace {

constexpr uint16_t mqtt_port = 1883;
constexpr uint16_t mqtt_tls_port = 8883;

void fill_in(Bridge& bridge, const std::string& gateway_name) {
  for (Address& address : bridge.addresses)
    if (address.port == 0) address.port = bridge.tls ? mqtt_tls_port : mqtt_port;
  if (bridge.client_id.empty()) bridge.client_id = gateway_name + "." + bridge.name;
  if (bridge.notification_topic.empty())
    bridge.notification_topic = "$SYS/broker/connection/" + bridge.client_id + "/state";
  if (bridge.status_topic.empty()) bridge.status_topic = "$SYS/broker/bridge/" + bridge.name + "/status";
}

// Defaults that depend on other values or on the machine.
void fill_in(Config& config, const Node& tree, const Outside& outside) {
  if (config.gateway.name.empty()) config.gateway.name = default_gateway_name(outside);
  if (config.store.path.empty()) config.store.path = default_store_path(outside);
  if (tree.find("listeners") == nullptr)
    config.listeners = default_listeners(config.limits, config.access.logins.empty());
  for (Bridge& bridge : config.bridges) fill_in(bridge, config.gateway.name);
}

}  // namespace

tl::expected<Loaded, std::vector<Problem>> load(const std::string& path, const Outside& outside) {
  Reading reading(outside);
  Loaded loaded;
  if (auto tree = read_tree(reading, path)) {
    config_section().read(reading, *tree, loaded.config);
    read_access_files(reading, *tree, loaded.config.access);
    fill_in(loaded.config, *tree, outside);
    validate(loaded.config, places_of(*tree), reading);
  }
  std::vector<Problem> problems = reading.take_problems();
  sort_by_place(problems);
  if (has_error(problems)) return tl::unexpected(std::move(problems));
  loaded.warnings = std::move(problems);
  return loaded;
}

}  // namespace tidegate::config
