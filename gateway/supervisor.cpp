#include "gateway/supervisor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace tidegate::supervisor {
namespace {

int ready_pipe = -1;  // write end, in the background half

// Whoever reads the other end waits until everybody has let go of this one.
bool is_pipe(int fd) {
  struct stat what {};
  return ::fstat(fd, &what) == 0 && S_ISFIFO(what.st_mode);
}

}  // namespace

void notify(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (!path || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // abstract name
  int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  (void)::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), size);
  ::close(fd);
}

void go_to_background() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  pid_t child = ::fork();
  if (child < 0) return;
  if (child > 0) {
    ::close(ends[1]);
    char word = 0;
    if (::read(ends[0], &word, 1) == 1) ::_exit(0);
    int status = 0;
    ::waitpid(child, &status, 0);
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
  }
  ::close(ends[0]);
  ready_pipe = ends[1];
  ::setsid();
}

void ready() {
  notify("READY=1");
  if (ready_pipe < 0) return;
  int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd : {0, 1, 2}) {
    if (null >= 0 && (::isatty(fd) || is_pipe(fd))) ::dup2(null, fd);
  }
  (void)!::write(ready_pipe, "r", 1);
  ::close(ready_pipe);
  ready_pipe = -1;
}

}  // namespace tidegate::supervisor
