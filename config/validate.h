// What the keys say together: sections that contradict each other, names used twice, rules that cannot be.
#pragma once

#include "config/config.h"
#include "config/findings.h"
#include "config/include.h"
#include "config/reading.h"

namespace tidegate::config {

// Reports to `reading`. Runs on a configuration with reading errors, too, so that all errors come at once; what depends
// on a part that could not be read is left out.
void validate(const Config& config, const Places& places, Reading& reading);

// One part each, called by validate.
void validate_lan(const Config& config, const Outside& outside, Findings& findings);
void validate_access(const Config& config, Findings& findings);
void validate_bridges(const Config& config, Findings& findings);

// What a listener's transport needs and has no use for; its TLS. `at` is the listener's pointer.
void validate_transport(const Listener& listener, const std::string& at, Findings& findings);
void validate_tls(const Listener& listener, const std::string& at, const Outside& outside, Findings& findings);

}  // namespace tidegate::config
