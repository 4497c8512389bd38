#include "gateway/pid_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tidegate {

PidFile::~PidFile() {
  if (fd_ < 0) return;
  if (::unlink(path_.c_str()) != 0) (void)!::ftruncate(fd_, 0);
  ::close(fd_);
}

Status PidFile::write(const std::string& path) {
  path_ = path;
  std::string text = fmt::format("{}\n", ::getpid());
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ >= 0 && ::write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size())) return {};
  return fail(ErrorCode::io, fmt::format("cannot write gateway.pid_file {}: {}", path, std::strerror(errno)));
}

}  // namespace tidegate
