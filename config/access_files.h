// What Mosquitto's password and acl files add to the section "access".
#pragma once

#include "config/config.h"
#include "config/node.h"
#include "config/reading.h"

namespace tidegate::config {

// Fills in `logins`, `rules` and `restricted`. Mistakes in the files are reported with their lines.
void read_access_files(Reading& reading, const Node& tree, Access& access);

}  // namespace tidegate::config
