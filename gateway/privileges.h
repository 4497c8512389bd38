// From root to a user who can do less, once the ports are bound.
#pragma once

#include <string>

#include "gateway/base/result.h"

namespace tidegate {

// `store_folder` and what is in it are given to the user first, since that goes on writing there. Not started as root:
// nothing happens, and a line says so unless it is that user already. Errors: invalid (no such user), io.
// Thread: main; all threads of the program change.
[[nodiscard]] Status drop_privileges(const std::string& user, const std::string& store_folder);

}  // namespace tidegate
