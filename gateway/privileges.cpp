#include "gateway/privileges.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "gateway/log/log.h"

namespace tidegate {
namespace {

struct Account {
  uid_t uid = 0;
  gid_t gid = 0;
};

Result<Account> account_of(const std::string& user) {
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  int error = ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found) return Account{found->pw_uid, found->pw_gid};
  return fail(ErrorCode::invalid, fmt::format("gateway.user: {}", error == 0 ? "no user \"" + user + "\" on this box"
                                                                             : std::string(std::strerror(error))));
}

// The folder, and in it only what the store makes there: a wrong path in the configuration must not give away a system.
// Links are not followed.
Status give_away(const std::string& folder, const Account& to) {
  namespace fs = std::filesystem;
  // What RocksDB has removed meanwhile needs no owner.
  auto give = [&](const fs::path& path) {
    return ::lchown(path.c_str(), to.uid, to.gid) == 0 || errno == ENOENT || errno == ENOTDIR;
  };
  std::error_code error;
  bool given = give(folder);
  for (const char* name : {"LOCK", "db", "db.new", "db.work"}) {
    fs::path made = fs::path(folder) / name;
    given = given && give(made);
    if (!fs::is_directory(fs::symlink_status(made, error))) continue;
    for (fs::recursive_directory_iterator at(made, error), end; !error && given && at != end; at.increment(error)) {
      given = give(at->path());
    }
  }
  if (error == std::errc::no_such_file_or_directory) error.clear();
  if (given && !error) return {};
  return fail(ErrorCode::io, fmt::format("gateway.user: cannot give {} to that user: {}", folder,
                                         error ? error.message() : std::strerror(errno)));
}

}  // namespace

Status drop_privileges(const std::string& user, const std::string& store_folder) {
  auto account = account_of(user);
  if (!account) return tl::unexpected(account.error());
  if (::geteuid() != 0) {
    if (::geteuid() != account->uid) {
      log::gateway.warn("Not started as root, so gateway.user has no effect: user={}", user);
    }
    return {};
  }
  if (account->uid == 0) return {};
  if (Status given = give_away(store_folder, *account); !given) return given;
  if (::initgroups(user.c_str(), account->gid) != 0 || ::setgid(account->gid) != 0 || ::setuid(account->uid) != 0) {
    return fail(ErrorCode::io, fmt::format("gateway.user: cannot become {}: {}", user, std::strerror(errno)));
  }
  log::gateway.info("Running as: user={}", user);
  return {};
}

}  // namespace tidegate
