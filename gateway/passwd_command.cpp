#include "gateway/passwd_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>

#include "gateway/access/lines.h"
#include "gateway/access/password_file.h"
#include "gateway/app.h"
#include "gateway/login/passwords.h"
#include "gateway/login/scram.h"

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

int failed(const std::string& why) {
  fmt::print(stderr, "tidegate passwd: {}\n", why);
  return exit_code::start_failed;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  if (in.good() || in.eof()) return text;
  return fail(ErrorCode::not_found, fmt::format("cannot read {}: {}; -c makes a new file", path, std::strerror(errno)));
}

// The old content stands until the new one is on disk. Owner and mode stay; a new file is for its owner alone.
Status replace_file(const std::string& path, const std::string& text) {
  struct stat old {};
  bool exists = ::stat(path.c_str(), &old) == 0;
  std::string temporary = path + ".new";
  int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool written = fd >= 0;
  if (written && exists) written = ::fchmod(fd, old.st_mode & 0777) == 0;
  if (written && exists) (void)!::fchown(fd, old.st_uid, old.st_gid);  // root's to do; without it the file is ours
  written = written && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  int error = errno;
  if (fd >= 0) ::close(fd);
  if (written && ::rename(temporary.c_str(), path.c_str()) == 0) return {};
  if (written) error = errno;
  ::unlink(temporary.c_str());
  return fail(ErrorCode::io, fmt::format("cannot write {}: {}", path, std::strerror(error)));
}

int finish(const std::string& path, const std::string& text) {
  if (Status replaced = replace_file(path, text); !replaced) return failed(replaced.error().context);
  return exit_code::success;
}

Result<std::string> hash_of(const PasswdOptions& options, const std::string& password) {
  return options.scram ? make_scram_verifier(password) : hash_password(password);
}

Result<std::string> new_hash(const PasswdOptions& options) {
  auto password = options.batch ? std::optional(options.password) : ask();
  if (!password || password->empty()) {
    return fail(ErrorCode::invalid, "no password, or the two differ; nothing was changed");
  }
  if (access::looks_like_hash(*password)) {
    return fail(ErrorCode::invalid, "that is a hash already, and no password; nothing was changed");
  }
  return hash_of(options, *password);
}

int hash_plain_passwords(const PasswdOptions& options) {
  auto text = read_file(options.file);
  if (!text) return failed(text.error().context);
  auto plain = access::parse_password_file(*text).plain;
  for (const access::PasswordLine& user : plain) {
    auto hash = hash_of(options, user.hash);
    if (!hash) return failed(hash.error().context);
    *text = access::with_user(*text, user.name, *hash);
  }
  fmt::print("Passwords hashed: {}\n", plain.size());
  return plain.empty() ? exit_code::success : finish(options.file, *text);
}

int remove_user(const PasswdOptions& options) {
  auto text = read_file(options.file);
  if (!text) return failed(text.error().context);
  auto without = access::without_user(*text, options.user);
  if (!without) return failed(fmt::format("{} has no user \"{}\"", options.file, options.user));
  return finish(options.file, *without);
}

int set_user(const PasswdOptions& options) {
  std::string text;
  if (!options.create) {
    auto read = read_file(options.file);
    if (!read) return failed(read.error().context);
    text = std::move(*read);
  }
  auto hash = new_hash(options);
  if (!hash) return failed(hash.error().context);
  return finish(options.file, access::with_user(text, options.user, *hash));
}

int print_hash(const PasswdOptions& options) {
  auto hash = new_hash(options);
  if (!hash) return failed(hash.error().context);
  fmt::print("{}\n", *hash);
  return exit_code::success;
}

bool is_user_name(const std::string& name) {
  return !name.empty() && name.size() <= 256 && name.front() != '#' &&
         name.find_first_of(":\r\n") == std::string::npos && access::trimmed(name) == name;
}

}  // namespace

int passwd(const PasswdOptions& options) {
  if (options.file.empty()) return print_hash(options);
  if (options.hash_plain) return hash_plain_passwords(options);
  if (!is_user_name(options.user)) {
    return failed("expected a user name: 1 to 256 bytes without a colon, not begun with #");
  }
  return options.remove ? remove_user(options) : set_user(options);
}

}  // namespace tidegate
