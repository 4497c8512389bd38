#include "store/store_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <utility>

#include "gateway/base/time.h"

namespace tidegate::store {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> fail_errno(std::string what, int number) {
  const ErrorCode code = number == ENOSPC || number == EDQUOT ? ErrorCode::no_space : ErrorCode::io;
  std::string context = std::move(what) + ": " + std::generic_category().message(number);
  if (number == EACCES || number == EPERM) context += "; let this user own the folder, or set store.path to another";
  if (number == EROFS) context += "; set store.path to a folder on a writable file system";
  if (code == ErrorCode::no_space) context += "; make room on that file system";
  return fail(code, std::move(context));
}

Status make_folders(const fs::path& path) {
  if (path.has_parent_path() && path.parent_path() != path && !fs::exists(path.parent_path()))
    if (auto made = make_folders(path.parent_path()); !made) return made;
  if (path.empty() || ::mkdir(path.c_str(), 0750) == 0 || errno == EEXIST) return {};
  return fail_errno("making the data folder " + path.string(), errno);
}

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

std::string time_stamp() {
  const std::time_t now = std::chrono::duration_cast<Seconds>(read_clock().wall.since_epoch).count();
  struct tm parts {};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", &parts);
  return text;
}

}  // namespace

Result<StoreFolder> StoreFolder::open(const std::string& path) {
  std::string folder = path;
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  if (auto made = make_folders(folder); !made) return tl::unexpected(made.error());
  const std::string lock_path = folder + "/LOCK";
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (lock < 0) return fail_errno("the data folder " + folder + " is not writable", errno);
  StoreFolder opened(folder, lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return fail(ErrorCode::in_use, "the data folder " + folder +
                                         " is in use by another process; stop that one, or set store.path to another");
    return fail_errno("locking " + lock_path, errno);
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return fail_errno("the data folder " + folder + " is not writable", errno);
  return opened;
}

StoreFolder::StoreFolder(StoreFolder&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

StoreFolder::~StoreFolder() {
  if (lock_ >= 0) ::close(lock_);
}

Result<bool> StoreFolder::tidy_up() const {
  std::error_code error;
  fs::remove_all(work(), error);
  if (exists(database())) {
    fs::remove_all(new_database(), error);
    return true;
  }
  if (!exists(new_database())) return false;
  // Set aside already, and the new one is complete; or the first start was interrupted, and CURRENT may be missing.
  if (!exists(new_database() + "/CURRENT")) {
    fs::remove_all(new_database(), error);
    return false;
  }
  if (auto installed = install_new_database(); !installed) return tl::unexpected(installed.error());
  return true;
}

Result<std::string> StoreFolder::set_database_aside() const {
  if (!exists(database())) return std::string();
  const std::string base = path_ + "/set-aside-" + time_stamp();
  std::string name = base;
  for (int n = 2; exists(name); ++n) name = base + "-" + std::to_string(n);
  if (auto renamed = rename_durably(database(), name); !renamed) return tl::unexpected(renamed.error());
  return name;
}

Status StoreFolder::install_new_database() const {
  return rename_durably(new_database(), database());
}

Status StoreFolder::rename_durably(const std::string& from, const std::string& to) const {
  if (::rename(from.c_str(), to.c_str()) != 0) return fail_errno("renaming " + from + " to " + to, errno);
  const int folder = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return fail_errno("opening " + path_, errno);
  const int synced = ::fsync(folder);
  const int number = errno;
  ::close(folder);
  if (synced != 0) return fail_errno("syncing " + path_, number);
  return {};
}

}  // namespace tidegate::store
