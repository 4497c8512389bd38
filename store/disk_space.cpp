#include "store/disk_space.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <system_error>

namespace tidegate::store {

Result<uint64_t> free_disk_bytes(const std::string& path) {
  struct statvfs info {};
  while (::statvfs(path.c_str(), &info) != 0) {
    if (errno == EINTR) continue;
    const ErrorCode code = errno == ENOENT ? ErrorCode::not_found : ErrorCode::io;
    return fail(code, "free space of " + path + ": " + std::generic_category().message(errno));
  }
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace tidegate::store
