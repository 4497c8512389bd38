// A Unix socket's file: made, given to whom it belongs, and cleared away. Blocks for no longer than the file system does.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/base/result.h"
#include "gateway/net/socket.h"

namespace tidegate::net {

struct UnixSocketOptions {
  std::string path;
  uint32_t mode = 0660;
  std::string owner;  // "user" or "user:group"; empty: the program's

  friend bool operator==(const UnixSocketOptions&, const UnixSocketOptions&) = default;
};

class UnixSocketFile {
 public:
  UnixSocketFile() = default;
  UnixSocketFile(const UnixSocketFile&) = delete;
  UnixSocketFile& operator=(const UnixSocketFile&) = delete;
  ~UnixSocketFile() { remove(); }

  // Binds and listens. A file left by a program that died is replaced; one that somebody answers is not (in_use), and
  // nothing that is no socket is ever touched. The error is a sentence for a person.
  [[nodiscard]] Status listen(Acceptor& acceptor, const UnixSocketOptions& options);
  // Unless another program has put its own there.
  void remove();

 private:
  std::string path_;
  uint64_t device_ = 0;
  uint64_t inode_ = 0;
};

}  // namespace tidegate::net
