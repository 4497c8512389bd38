#include "store/rocks_db.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>

namespace tidegate::store {
namespace {

constexpr uint64_t mib = 1 << 20;

bool says(const rocksdb::Status& status, std::string_view words) {
  return status.ToString().find(words) != std::string::npos;
}

bool lz4_present() {
  const auto present = rocksdb::GetSupportedCompressions();
  return std::find(present.begin(), present.end(), rocksdb::kLZ4Compression) != present.end();
}

// RocksDB's own log file has no place here: Debian builds the library with assertions, and its logger ends the process
// with one when it writes again after a failed write, which is what a full disk makes of it.
class LineLogger : public rocksdb::Logger {
 public:
  explicit LineLogger(LogLine log) : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL), log_(std::move(log)) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    if (!log_) return;
    char line[512];
    const int size = std::vsnprintf(line, sizeof line, format, arguments);
    if (size <= 0) return;
    std::string_view text(line, std::min(static_cast<size_t>(size), sizeof line - 1));
    while (text.ends_with('\n')) text.remove_suffix(1);
    log_(text);
  }

 private:
  const LogLine log_;
};

rocksdb::ColumnFamilyOptions family_options(uint64_t write_buffer, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;  // else they grow with the backlog, outside every limit
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.block_size = 8 << 10;

  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = write_buffer;
  options.max_write_buffer_number = 2;
  options.target_file_size_base = 8 * mib;
  options.max_bytes_for_level_base = 64 * mib;
  return options;
}

}  // namespace

Error to_error(const rocksdb::Status& status, std::string_view what) {
  std::string context = std::string(what) + ": " + status.ToString();
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit || says(status, "No space left"))
    return {ErrorCode::no_space, std::move(context)};
  if (status.IsIOError() && (says(status, "While lock file") || says(status, "lock hold by current process")))
    return {ErrorCode::in_use, std::move(context)};
  if (means_damage(status)) return {ErrorCode::corrupt, std::move(context)};
  return {ErrorCode::io, std::move(context)};
}

bool means_damage(const rocksdb::Status& status) {
  if (status.IsCorruption() || status.IsNotFound() || status.IsInvalidArgument() || status.IsNotSupported())
    return true;
  if (!status.IsIOError()) return false;
  return status.IsPathNotFound() || says(status, "No such file") || says(status, "Input/output error");
}

RocksOptions rocks_options(uint64_t memory_bytes, const LogLine& log) {
  RocksOptions all;
  const uint64_t memory = std::max<uint64_t>(memory_bytes, 2 * mib);
  const auto cache = rocksdb::NewLRUCache(memory / 4);

  rocksdb::DBOptions& db = all.db;
  db.create_missing_column_families = true;
  db.max_open_files = 64;
  db.max_total_wal_size = 16 * mib;  // the log of the last flush is replayed at the start: bounds its time
  db.db_write_buffer_size = memory / 2;
  db.max_background_jobs = 2;
  // Replay ends at the first bad record: after a power cut only what was not synced is missing. Damage before the end is
  // looked for separately (log_reader.h).
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // A recycled log holds old records behind its end, which cannot be told from damage; one log file is enough wear.
  db.recycle_log_file_num = 0;
  db.bytes_per_sync = mib;
  db.max_manifest_file_size = 4 * mib;
  db.info_log = std::make_shared<LineLogger>(log);
  db.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  db.stats_dump_period_sec = 0;  // else it writes by itself, day and night
  db.stats_persist_period_sec = 0;
  db.skip_stats_update_on_db_open = true;

  all.families.emplace_back(rocksdb::kDefaultColumnFamilyName, family_options(memory / 8, cache));
  auto queue = family_options(memory / 4, cache);
  if (lz4_present()) queue.compression = rocksdb::kLZ4Compression;  // half the disk and the wear for JSON payloads
  all.families.emplace_back("queue", queue);
  return all;
}

rocksdb::Status RocksDb::open(const std::string& path, const RocksOptions& options) {
  close();
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(options.db, path, options.families, &families_, &db);
  db_.reset(db);
  if (!status.ok()) close();
  return status;
}

void RocksDb::close() {
  if (db_) {
    for (auto* family : families_) db_->DestroyColumnFamilyHandle(family);
    db_->Close().PermitUncheckedError();
  }
  families_.clear();
  db_.reset();
}

void append_to(rocksdb::WriteBatch& write, const RocksDb& db, const Batch& batch) {
  Batch::Change change;
  for (size_t position = 0; batch.next(position, change);) {
    auto* family = db.family(change.table);
    rocksdb::Status status;
    switch (change.kind) {
      case Batch::Change::Kind::put: status = write.Put(family, slice(change.key), slice(change.value)); break;
      case Batch::Change::Kind::erase: status = write.Delete(family, slice(change.key)); break;
      case Batch::Change::Kind::erase_range:
        // RocksDB refuses a range that ends before it begins.
        if (change.key < change.value) status = write.DeleteRange(family, slice(change.key), slice(change.value));
        break;
    }
    TIDEGATE_CHECK(status.ok());  // only a batch beyond 4 GiB is refused
  }
}

}  // namespace tidegate::store
