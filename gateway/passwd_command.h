// `tidegate passwd`: asks for a password and prints its hash, for access.users[].password_hash.
#pragma once

namespace tidegate {

// On a terminal asks twice, without echo; else reads one line of standard input. Gives the exit code.
[[nodiscard]] int print_password_hash();

}  // namespace tidegate
