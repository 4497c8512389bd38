// RocksDB's write-ahead log, read by ourselves: 32 KiB blocks of physical records, each with checksum, length and type,
// put together to logical ones. Two uses: to tell a torn tail (normal after a power cut) from damage in the middle (else
// everything behind it would vanish without a word), and to carry over what stands behind damage. RocksDB's own mode for
// that, kSkipAnyCorruptedRecords, gives up the rest of the file and can loop for ever (facebook/rocksdb #11968).
//
// Total: any bytes give records or an end. Holds one block and one record. Thread: its owner's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate::store {

inline constexpr size_t log_block_size = 32 << 10;

[[nodiscard]] uint32_t crc32c(std::string_view bytes, uint32_t start = 0);

class LogReader {
 public:
  // `next_block` replaces its argument by the next block of the file: full except at the end; false: there is none.
  using NextBlock = std::function<bool(std::string& block)>;
  explicit LogReader(NextBlock next_block) : next_block_(std::move(next_block)) {}

  // The next whole record; valid until the next call. None: the end.
  [[nodiscard]] std::optional<std::string_view> next();
  // Something before the record that `next` gave last, and behind the one before it, was unreadable; at the end: behind
  // the last record.
  [[nodiscard]] bool gap() const { return gap_; }

 private:
  struct Piece {
    uint8_t type = 0;
    std::string_view data;
  };
  [[nodiscard]] std::optional<Piece> next_piece();
  [[nodiscard]] std::optional<Piece> piece_at(size_t position) const;

  NextBlock next_block_;
  std::string block_;
  size_t position_ = 0;
  std::string record_;  // pieces so far
  bool in_record_ = false;
  bool gap_ = false;
};

// What a record begins with: its first sequence number and the count of its changes.
struct LogRecordHead {
  uint64_t sequence = 0;
  uint32_t count = 0;
};
[[nodiscard]] std::optional<LogRecordHead> log_record_head(std::string_view record);

// Fed with all records of all logs in order: whether what is missing can be a torn tail.
class LogContinuity {
 public:
  // REQUIRES: the record `reader.next()` gave last.
  void saw(const LogReader& reader, std::string_view record);
  void log_ended(const LogReader& reader) { gap_ = gap_ || reader.gap(); }
  // Gaps with something readable behind them that does not continue where the readable part before ended.
  [[nodiscard]] uint64_t damaged_spots() const { return damaged_spots_; }

 private:
  uint64_t next_sequence_ = 0;
  uint64_t damaged_spots_ = 0;
  bool gap_ = false;
};

}  // namespace tidegate::store
