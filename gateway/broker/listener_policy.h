// What a listener lets in.
#pragma once

#include <string>
#include <vector>

#include "gateway/base/message.h"
#include "gateway/broker/limits.h"

namespace tidegate::broker {

struct ListenerPolicy {
  std::string name;
  bool allow_anonymous = false;    // without a user name
  bool check_credentials = false;  // a user name given must be right; not so where anybody may come and nobody is known
  bool accept_v3_1 = true;
  bool accept_v3_1_1 = true;
  bool accept_v5 = true;
  Qos max_qos = Qos::exactly_once;   // of what clients publish and are granted; above: 5.0 is told 0x9B and closed
  bool retain_available = true;      // false: who publishes with the retain flag is closed, 5.0 told 0x9A
  std::string response_information;  // told to 5.0 clients that ask for it; empty: none
  std::vector<std::string> client_id_prefixes;  // a client id begins with one of them; none: any
  bool use_username_as_client_id = false;       // whatever CONNECT says
  bool allow_empty_client_id = true;            // a client that gives no id is given one
  std::string auto_id_prefix = "auto-";         // which begins so
  Limits limits;                                // for its connections
};

}  // namespace tidegate::broker
