#include "store/log_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <vector>

namespace tidegate::store {
namespace {

namespace fs = std::filesystem;

class File {
 public:
  explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

  // A block that the disk cannot read is given as zeros: a gap.
  bool next_block(std::string& block) {
    block.resize(log_block_size);
    size_t size = 0;
    while (size < log_block_size) {
      const ssize_t n = ::pread(fd_, block.data() + size, log_block_size - size, offset_ + static_cast<off_t>(size));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        std::fill(block.begin() + static_cast<std::ptrdiff_t>(size), block.end(), '\0');
        size = log_block_size;
        break;
      }
      if (n == 0) break;
      size += static_cast<size_t>(n);
    }
    block.resize(size);
    offset_ += static_cast<off_t>(size);
    return size > 0 && offset_ < offset_max;
  }

 private:
  static constexpr off_t offset_max = off_t{1} << 32;  // a disk that fails for ever has no end of file
  int fd_;
  off_t offset_ = 0;
};

}  // namespace

uint64_t read_logs(const std::string& folder, const std::function<bool(std::string_view record)>& visit) {
  std::vector<std::pair<uint64_t, std::string>> logs;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == ".log") {
      const std::string stem = at->path().stem();
      uint64_t number = 0;
      std::from_chars(stem.data(), stem.data() + stem.size(), number);
      logs.emplace_back(number, at->path().string());
    }
  std::sort(logs.begin(), logs.end());

  LogContinuity continuity;
  uint64_t unopened = 0;
  for (const auto& [number, path] : logs) {
    File file(path);
    if (!file.is_open()) {
      ++unopened;
      continue;
    }
    LogReader reader([&file](std::string& block) { return file.next_block(block); });
    while (const auto record = reader.next()) {
      continuity.saw(reader, *record);
      if (!visit(*record)) return continuity.damaged_spots() + unopened;
    }
    continuity.log_ended(reader);
  }
  return continuity.damaged_spots() + unopened;
}

}  // namespace tidegate::store
