// The box itself: gateway, store; and the top level that holds everything.
#include <algorithm>

#include "config/schema.h"

namespace tidegate::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr size_t listeners_max = 100;

Section<Store> make_store() {
  Section<Store> s("store", "What must survive: queues, sessions, retained messages.");
  s.key("path", &Store::path, path_text(), Applies::restart, "A folder; made if missing.")
      .default_is("as root `/var/lib/tidegate`, else `~/.local/share/tidegate`");
  s.key("durability", &Store::durability,
        word<Durability>({{"always", Durability::always}, {"interval", Durability::interval}, {"os", Durability::os}}),
        Applies::restart,
        "What an acknowledged message survives. always: a power cut. interval: a power cut but for the last "
        "sync_interval. os: a crash of Tidegate.");
  s.key("sync_interval", &Store::sync_interval, duration({Millis(10), minutes(1)}), Applies::restart,
        "For durability interval.");
  s.key("max_bytes", &Store::max_bytes, size({16 * MiB, unlimited}, Lifted::allowed), Applies::restart,
        "Queues, sessions and retained messages together.");
  s.key("min_free", &Store::min_free, size({0, 1024 * GiB}), Applies::restart,
        "Left free on that file system whatever the limits say.");
  s.key("on_newer", &Store::on_newer, word<OnNewer>({{"refuse", OnNewer::refuse}, {"set_aside", OnNewer::set_aside}}),
        Applies::restart, "A store of a newer version. refuse: do not start. set_aside: rename it and start empty.");
  return s;
}

// A listener begins with the gateway's limits, so it can be read only after them.
void read_listeners(Reading& reading, const Node& node, Config& out) {
  if (!is_list(reading, node, "objects", {0, listeners_max})) return;
  for (const Node& item : node.items) {
    Listener listener{.name = {}, .bind = {}, .limits = out.limits};
    listener_section().read(reading, item, listener);
    out.listeners.push_back(std::move(listener));
  }
}

Section<Config> make_config() {
  Section<Config> s("", "Every section is optional.");
  s.read_elsewhere({.key = "include_dir",
                    .type = "path",
                    .default_text = "none",
                    .applies = Applies::live,
                    .doc = "A folder of further files (*.json, *.jsonc), read in order of name: lists are joined, "
                           "objects merged; a value given twice is an error."});
  s.key("gateway", &Config::gateway, object(gateway_section()), Applies::live, "The gateway itself.");
  s.key("limits", &Config::limits, object(limits_section()), Applies::live, "For all listeners together.");
  s.key("listeners", &Config::listeners, list(object(listener_section()), "objects", {0, listeners_max}), Applies::live,
        "Where devices connect.")
      .read_with(read_listeners)
      .default_is("loopback");
  s.key("access", &Config::access, object(access_section()), Applies::live, "Who may connect.");
  s.key("bridges", &Config::bridges, list(object(bridge_section()), "objects", {0, 100}), Applies::live,
        "Links to remotes.");
  s.key("store", &Config::store, object(store_section()), Applies::live, "The disk.");
  s.key("log", &Config::log, object(log_section()), Applies::live, "What is said, and where.");
  s.later({"web"});
  return s;
}

void collect(const SectionInfo& section, std::vector<const SectionInfo*>& out) {
  out.push_back(&section);
  for (const SectionInfo* part : section.parts) collect(*part, out);
}

}  // namespace

const Section<Gateway>& gateway_section() {
  static const Section<Gateway> section = [] {
    Section<Gateway> s("gateway", "The gateway itself.");
    s.key("name", &Gateway::name, name_text(), Applies::restart,
          "{gateway}: part of default client ids. Cloned images share host names: set it, or two boxes evict each "
          "other.")
        .default_is("the host name");
    s.key("sys_interval", &Gateway::sys_interval, timer({Seconds(1), hours(1)}), Applies::live,
          "How often the $SYS tree is published.");
    s.key("user", &Gateway::user, free_text({1, 128}), Applies::restart,
          "Started as root: whom to become once the ports are bound. The store is given to that user; log files belong "
          "into a folder of that user, and what a reload reads has to be readable for it.")
        .default_is("nobody else");
    s.key("memory_limit", &Gateway::memory_limit, size({8 * MiB, unlimited}, Lifted::allowed), Applies::live,
          "Heap in use, looked at once a second. Beyond: new connections are closed at once, and publishes that would "
          "have to be kept are refused as while the disk is full (5.0: 0x97), until it is 5 % below.");
    s.key("pid_file", &Gateway::pid_file, path_text(), Applies::restart,
          "Where the process id is written; removed at the end.");
    return s;
  }();
  return section;
}

const Section<Store>& store_section() {
  static const Section<Store> section = make_store();
  return section;
}

const Section<Config>& config_section() {
  static const Section<Config> section = make_config();
  return section;
}

const std::vector<const SectionInfo*>& all_sections() {
  static const std::vector<const SectionInfo*> sections = [] {
    std::vector<const SectionInfo*> out;
    collect(config_section().info(), out);
    return out;
  }();
  return sections;
}

}  // namespace tidegate::config
