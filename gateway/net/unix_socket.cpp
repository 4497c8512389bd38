#include "gateway/net/unix_socket.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

namespace tidegate::net {
namespace {

struct Owner {
  uid_t user = static_cast<uid_t>(-1);  // as for chown: unchanged
  gid_t group = static_cast<gid_t>(-1);
};

std::optional<Owner> owner_of(const std::string& text) {
  Owner owner;
  std::vector<char> buffer(16384);
  size_t colon = text.find(':');
  std::string user = text.substr(0, colon);
  passwd entry{};
  passwd* found = nullptr;
  if (!user.empty()) {
    if (::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || !found) return {};
    owner.user = found->pw_uid;
  }
  if (colon == std::string::npos) return owner;
  group group_entry{};
  group* found_group = nullptr;
  std::string name = text.substr(colon + 1);
  if (::getgrnam_r(name.c_str(), &group_entry, buffer.data(), buffer.size(), &found_group) != 0 || !found_group) {
    return {};
  }
  owner.group = found_group->gr_gid;
  return owner;
}

enum class Answer : uint8_t { somebody, nobody, unknown };

Answer who_answers(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Answer::unknown;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return Answer::unknown;
  int result = ::connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof address);
  int number = errno;
  ::close(probe);
  if (result == 0 || number == EAGAIN) return Answer::somebody;
  return number == ECONNREFUSED ? Answer::nobody : Answer::unknown;
}

Status clear_away_stale(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return {};  // none, or bind will say what is wrong
  if (!S_ISSOCK(info.st_mode)) return fail(ErrorCode::in_use, path + " is there already, and is no socket");
  switch (who_answers(path)) {
    case Answer::somebody: return fail(ErrorCode::in_use, path + " is served by another program");
    case Answer::unknown: return fail(ErrorCode::in_use, path + " is there already; remove it if nobody uses it");
    case Answer::nobody: break;
  }
  if (::unlink(path.c_str()) == 0) return {};
  return fail(ErrorCode::refused, path + " is of a program that died, and cannot be removed: " + std::strerror(errno));
}

}  // namespace

Status UnixSocketFile::listen(Acceptor& acceptor, const UnixSocketOptions& options) {
  const std::string& path = options.path;
  auto owner = owner_of(options.owner);
  if (!owner) return fail(ErrorCode::not_found, fmt::format("there is no owner \"{}\" on this box", options.owner));
  if (Status cleared = clear_away_stale(path); !cleared) return cleared;
  asio::local::stream_protocol::endpoint endpoint(path);
  error_code error;
  acceptor.open(Stream(endpoint.protocol()), error);
  if (!error) acceptor.bind(endpoint, error);
  if (error) return fail(ErrorCode::refused, path + ": " + error.message());
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    path_ = path;
    device_ = info.st_dev;
    inode_ = info.st_ino;
  }
  // Nobody can connect before listen(), so nobody slips in before the mode is set.
  if (::chmod(path.c_str(), options.mode) != 0 ||
      (!options.owner.empty() && ::lchown(path.c_str(), owner->user, owner->group) != 0)) {
    Status failed = fail(ErrorCode::refused, fmt::format("{} cannot be given to owner \"{}\" with mode {:04o}: {}",
                                                         path, options.owner, options.mode, std::strerror(errno)));
    remove();
    return failed;
  }
  acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return {};
  remove();
  return fail(ErrorCode::refused, path + ": " + error.message());
}

void UnixSocketFile::remove() {
  struct stat info {};
  bool ours = !path_.empty() && ::lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_;
  if (ours) ::unlink(path_.c_str());
  path_.clear();
}

}  // namespace tidegate::net
