// The description of every key: what REFERENCE.md is printed from. One function per section, each made once.
#pragma once

#include <vector>

#include "config/config.h"
#include "config/section.h"

namespace tidegate::config {

[[nodiscard]] const Section<Config>& config_section();  // the top level
[[nodiscard]] const Section<Gateway>& gateway_section();
[[nodiscard]] const Section<Limits>& limits_section();
[[nodiscard]] const Section<Limits>& listener_limits_section();
[[nodiscard]] const Section<ListenerTls>& listener_tls_section();
[[nodiscard]] const Section<Listener>& listener_section();
[[nodiscard]] const Section<User>& user_section();
[[nodiscard]] const Section<AclEntry>& acl_entry_section();
[[nodiscard]] const Section<Access>& access_section();
[[nodiscard]] const Section<Tls>& tls_section();
[[nodiscard]] const Section<Rule>& rule_section();
[[nodiscard]] const Section<Queue>& queue_section();
[[nodiscard]] const Section<RestartTimeout>& restart_timeout_section();
[[nodiscard]] const Section<Bridge>& bridge_section();
[[nodiscard]] const Section<Store>& store_section();
[[nodiscard]] const Section<LogDestination>& log_destination_section();
[[nodiscard]] const Section<LogComponents>& log_components_section();
[[nodiscard]] const Section<Log>& log_section();

// The top level and everything below it, in the order of the file's shape.
[[nodiscard]] const std::vector<const SectionInfo*>& all_sections();

}  // namespace tidegate::config
