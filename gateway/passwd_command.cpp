#include "gateway/passwd_command.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <iostream>
#include <optional>
#include <string>

#include "gateway/app.h"
#include "gateway/passwords.h"

namespace tidegate {
namespace {

// Hides what is typed while it lives.
class NoEcho {
 public:
  NoEcho() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    active_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0;
  }
  ~NoEcho() {
    if (active_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_{};
  bool active_ = false;
};

std::optional<std::string> read_line(const char* prompt) {
  if (prompt) fmt::print(stderr, "{}", prompt);
  std::string line;
  bool read = static_cast<bool>(std::getline(std::cin, line));
  if (prompt) fmt::print(stderr, "\n");
  if (!read || line.empty()) return {};
  return line;
}

std::optional<std::string> ask() {
  if (!::isatty(STDIN_FILENO)) return read_line(nullptr);
  NoEcho hidden;
  auto first = read_line("Password: ");
  auto second = first ? read_line("Again: ") : std::nullopt;
  return first == second ? first : std::nullopt;
}

}  // namespace

int print_password_hash() {
  auto password = ask();
  if (!password) {
    fmt::print(stderr, "tidegate passwd: no password, or the two differ; nothing was made\n");
    return exit_code::start_failed;
  }
  auto hash = hash_password(*password);
  if (!hash) {
    fmt::print(stderr, "tidegate passwd: {}\n", hash.error().context);
    return exit_code::start_failed;
  }
  fmt::print("{}\n", *hash);
  return exit_code::success;
}

}  // namespace tidegate
