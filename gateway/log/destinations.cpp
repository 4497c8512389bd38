#include "gateway/log/destinations.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>

namespace tidegate::log {
namespace {

// The whole text, however often the system takes a part. False: it took less.
bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

// systemd says in JOURNAL_STREAM, as device:inode, which stream it reads.
bool leads_to_journal(int fd) {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat is {};
  return stream && ::fstat(fd, &is) == 0 && fmt::format("{}:{}", is.st_dev, is.st_ino) == stream;
}

class ToStream final : public Destination {
 public:
  ToStream(Stream stream, Style style)
      : fd_(stream == Stream::standard_error ? STDERR_FILENO : STDOUT_FILENO),
        style_(style),
        journal_(leads_to_journal(fd_)) {
    if (journal_) style_.timestamp = Timestamp::none;
  }
  bool write(const Line& line) override {
    std::string level = journal_ ? fmt::format("<{}>", severity(line.level)) : "";
    return write_all(fd_, level + formatted(line, style_.format, style_.timestamp) + '\n');
  }
  std::string name() const override { return fd_ == STDERR_FILENO ? "stderr" : "stdout"; }

 private:
  const int fd_;
  Style style_;
  const bool journal_;
};

class ToFile final : public Destination {
 public:
  ToFile(FileOptions options, Style style) : options_(std::move(options)), style_(style) {}
  ~ToFile() override { close(); }

  bool open() {
    close();
    fd_ = ::open(options_.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    struct stat is {};
    bytes_ = fd_ >= 0 && ::fstat(fd_, &is) == 0 ? static_cast<uint64_t>(is.st_size) : 0;
    return fd_ >= 0;
  }
  bool write(const Line& line) override {
    std::string text = formatted(line, style_.format, style_.timestamp) + '\n';
    if (bytes_ > 0 && bytes_ + text.size() > options_.bytes_max) rotate();
    if (fd_ < 0 && !open()) return false;
    if (!write_all(fd_, text)) return false;
    bytes_ += text.size();
    return true;
  }
  void reopen() override { (void)open(); }
  std::string name() const override { return options_.path; }

 private:
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void rotate() {
    auto numbered = [&](uint32_t n) { return n == 0 ? options_.path : fmt::format("{}.{}", options_.path, n); };
    if (options_.keep == 0) (void)::unlink(options_.path.c_str());
    for (uint32_t n = options_.keep; n > 0; --n) {
      (void)std::rename(numbered(n - 1).c_str(), numbered(n).c_str());
    }
    (void)open();
  }

  const FileOptions options_;
  const Style style_;
  int fd_ = -1;
  uint64_t bytes_ = 0;
};

// Datagrams to a socket in the file system; nothing has to be there.
class Datagrams {
 public:
  explicit Datagrams(std::string path) : path_(std::move(path)) {
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    timeval patience{1, 0};
    if (fd_ >= 0) (void)::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  ~Datagrams() {
    if (fd_ >= 0) ::close(fd_);
  }
  Datagrams(const Datagrams&) = delete;
  Datagrams& operator=(const Datagrams&) = delete;

  bool send(std::string_view datagram) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (fd_ < 0 || path_.size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    return ::sendto(fd_, datagram.data(), datagram.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address),
                    sizeof address) == static_cast<ssize_t>(datagram.size());
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  int fd_ = -1;
};

class ToSyslog final : public Destination {
 public:
  ToSyslog(std::string socket, int facility, Format format)
      : datagrams_(std::move(socket)), facility_(facility), format_(format) {}
  bool write(const Line& line) override {
    std::time_t time = std::chrono::floor<Seconds>(line.at.since_epoch).count();
    std::tm local{};
    ::localtime_r(&time, &local);
    std::array<char, 32> when{};
    std::strftime(when.data(), when.size(), "%b %e %H:%M:%S", &local);
    return datagrams_.send(fmt::format("<{}>{} tidegate[{}]: {}", facility_ * 8 + severity(line.level), when.data(),
                                       ::getpid(), formatted(line, format_, Timestamp::none)));
  }
  std::string name() const override { return "syslog at " + datagrams_.path(); }

 private:
  Datagrams datagrams_;
  const int facility_;
  const Format format_;
};

class ToJournal final : public Destination {
 public:
  explicit ToJournal(std::string socket) : datagrams_(std::move(socket)) {}
  bool write(const Line& line) override {
    return datagrams_.send(
        fmt::format("PRIORITY={}\nSYSLOG_IDENTIFIER=tidegate\nSYSLOG_PID={}\nTIDEGATE_COMPONENT={}\nMESSAGE=[{}] {}\n",
                    severity(line.level), ::getpid(), word(line.component), word(line.component), line.text));
  }
  std::string name() const override { return "journal at " + datagrams_.path(); }

 private:
  Datagrams datagrams_;
};

class ToTopic final : public Destination {
 public:
  ToTopic(Publish publish, bool by_component, Style style)
      : publish_(std::move(publish)), by_component_(by_component), style_(style) {}
  bool write(const Line& line) override {
    if (line.from_topic) return true;
    std::string topic = fmt::format("$SYS/broker/log/{}", letter(line.level));
    if (by_component_) topic += fmt::format("/{}", word(line.component));
    return publish_(std::move(topic), formatted(line, style_.format, style_.timestamp));
  }
  std::string name() const override { return "topic"; }

 private:
  const Publish publish_;
  const bool by_component_;
  const Style style_;
};

}  // namespace

std::unique_ptr<Destination> to_stream(Stream stream, Style style) {
  return std::make_unique<ToStream>(stream, style);
}

Result<std::unique_ptr<Destination>> to_file(const FileOptions& options, Style style) {
  auto file = std::make_unique<ToFile>(options, style);
  if (!file->open()) {
    return fail(ErrorCode::io, fmt::format("cannot write the log to {}: {}", options.path, std::strerror(errno)));
  }
  return file;
}

std::unique_ptr<Destination> to_syslog(std::string socket, int facility, Format format) {
  return std::make_unique<ToSyslog>(std::move(socket), facility, format);
}

std::unique_ptr<Destination> to_journal(std::string socket) {
  return std::make_unique<ToJournal>(std::move(socket));
}

std::unique_ptr<Destination> to_topic(Publish publish, bool by_component, Style style) {
  return std::make_unique<ToTopic>(std::move(publish), by_component, style);
}

}  // namespace tidegate::log
