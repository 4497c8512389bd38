// Mosquitto's acl file, read unchanged: "user NAME", "topic [read|write|readwrite|deny] FILTER", "pattern ..." with %u
// and %c, "#" comments. Topics before the first user are those of clients without a user name. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/access/acl.h"

namespace tidegate::access {

struct LineProblem {
  size_t line = 0;  // from 1
  std::string what;
};

struct AclFile {
  std::vector<AclRule> rules;
  std::vector<LineProblem> problems;
};

// `name` is what the rules' places begin with: "NAME:LINE".
[[nodiscard]] AclFile parse_acl_file(std::string_view text, std::string_view name);

}  // namespace tidegate::access
