// The edge of this folder: the only file that touches the file system and the environment.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "config/outside.h"
#include "config/parse.h"

namespace tidegate::config {
namespace {

tl::unexpected<Error> os_error(const std::string& path) {
  ErrorCode code = errno == ENOENT ? ErrorCode::not_found : ErrorCode::io;
  return fail(code, path + ": " + std::strerror(errno));
}

struct Descriptor {
  int value;
  explicit Descriptor(int fd) : value(fd) {}
  Descriptor(const Descriptor&) = delete;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

// Mode and content are of the same open file, so that nobody can swap it in between.
Result<FileContent> read_file(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.value < 0) return os_error(path);
  struct stat info {};
  if (::fstat(file.value, &info) != 0) return os_error(path);
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::invalid, path + ": not a file");
  FileContent content{.mode = info.st_mode & 07777u, .text = {}};
  char buffer[16384];
  while (content.text.size() <= file_bytes_max) {
    ssize_t n = ::read(file.value, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_error(path);
    if (n == 0) break;
    content.text.append(buffer, static_cast<size_t>(n));
  }
  return content;
}

Result<std::vector<std::string>> list_folder(const std::string& path) {
  std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (!folder) return os_error(path);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(folder.get())) names.emplace_back(entry->d_name);
  return names;
}

std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

}  // namespace

Outside real_outside() {
  char host[HOST_NAME_MAX + 1] = {};
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  return {environment, read_file, list_folder, {}, host, ::geteuid() == 0};
}

}  // namespace tidegate::config
