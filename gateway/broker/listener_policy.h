// What a listener lets in.
#pragma once

#include <string>
#include <vector>

#include "gateway/broker/limits.h"

namespace tidegate::broker {

struct ListenerPolicy {
  std::string name;
  bool allow_anonymous = false;    // without a user name
  bool check_credentials = false;  // users are configured: a user name given must be right
  bool accept_v3_1 = true;
  bool accept_v3_1_1 = true;
  bool accept_v5 = true;
  std::vector<std::string> client_id_prefixes;  // a client id begins with one of them; none: any
  Limits limits;                                // for its connections
};

}  // namespace tidegate::broker
