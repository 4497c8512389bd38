#include "store/rocks_store.h"

#include <rocksdb/convenience.h>
#include <rocksdb/write_batch.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <limits>

#include "store/keys.h"
#include "store/log_files.h"
#include "store/queue_readers.h"
#include "store/rocks_db.h"
#include "store/rocks_scan.h"

namespace tidegate::store {
namespace {

constexpr size_t kept_write_bytes_max = 1 << 20;

class RocksStore : public Store {
 public:
  explicit RocksStore(uint64_t memory_bytes) : readers_(memory_bytes / 4) {}
  ~RocksStore() override { readers_.drop_all(); }

  Status open(const RocksFolder& folder);

  Status write(std::span<const Batch* const> batches, bool sync) override;
  Status read_queue(QueueId queue, Seq from, Seq end, ReadLimit limit, std::vector<QueueRecord>& out) override;
  Status scan(std::string_view prefix,
              const std::function<bool(std::string_view key, std::string_view value)>& visit) override;
  Status reclaim(QueueId queue, Seq end) override;
  [[nodiscard]] uint64_t disk_bytes() const override;
  Status mark_clean() override;
  [[nodiscard]] uint64_t unreadable() const override { return unreadable_.load(std::memory_order_relaxed); }

 private:
  struct Window {
    Seq next;  // to be read
    ReadLimit limit;
    size_t messages = 0;
    size_t bytes = 0;
    [[nodiscard]] bool is_full() const { return messages >= limit.messages_max || bytes >= limit.bytes_max; }
  };

  void read_window(QueueCursor& cursor, Seq end, Window& window, std::vector<QueueRecord>& out);
  Status check_readable();
  Status resume();
  bool is_empty_from(QueueId queue, Seq end);

  std::string path_;
  RocksDb db_;
  QueueReaders readers_;
  rocksdb::WriteBatch write_;  // the committer's; keeps its memory
  bool resume_first_ = false;  // the committer's: the last write failed
  std::atomic<uint64_t> unreadable_{0};
};

Status RocksStore::open(const RocksFolder& folder) {
  path_ = folder.path;
  // RocksDB ends its replay at the first bad record and does not tell a torn tail from damage before the end.
  if (!folder.create && read_logs(folder.path, [](std::string_view) { return true; }) > 0)
    return fail(ErrorCode::corrupt, "the write-ahead log in " + folder.path + " is damaged");
  RocksOptions options = rocks_options(folder.memory_bytes, folder.log);
  options.db.create_if_missing = folder.create;
  options.db.error_if_exists = folder.create;
  if (const auto status = db_.open(folder.path, options); !status.ok())
    return tl::unexpected(to_error(status, "opening the store in " + folder.path));
  return check_readable();
}

// A file of level 0 whose index cannot be read fails every read of its column family, whatever the key: only a fresh
// database helps, so it counts as damage now. One seek opens them all; deeper files fail only their own keys.
Status RocksStore::check_readable() {
  for (const Table table : {Table::state, Table::queue}) {
    const std::unique_ptr<rocksdb::Iterator> iterator(db_->NewIterator({}, db_.family(table)));
    iterator->Seek("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
    if (!iterator->status().ok()) return tl::unexpected(to_error(iterator->status(), "reading the store in " + path_));
  }
  return {};
}

// After a failed write RocksDB takes no other until it is told that the world is better. Of a full disk it recovers;
// after any other failure of its log only a new start helps.
Status RocksStore::resume() {
  if (!resume_first_) return {};
  const auto status = db_->Resume();
  if (!status.ok()) {
    Error error = to_error(status, "writing to the store");
    if (error.code == ErrorCode::io && !status.IsBusy()) error.code = ErrorCode::not_available;
    return tl::unexpected(std::move(error));
  }
  resume_first_ = false;
  return {};
}

Status RocksStore::write(std::span<const Batch* const> batches, bool sync) {
  if (auto resumed = resume(); !resumed) return resumed;
  write_.Clear();
  for (const Batch* batch : batches) append_to(write_, db_, *batch);
  rocksdb::Status status;
  if (write_.Count() > 0) {
    rocksdb::WriteOptions options;
    options.sync = sync;
    status = db_->Write(options, &write_);
  } else if (sync) {
    status = db_->FlushWAL(true);
  }
  if (write_.GetDataSize() > kept_write_bytes_max) write_ = rocksdb::WriteBatch();
  if (!status.ok()) {
    resume_first_ = true;
    return tl::unexpected(to_error(status, "writing to the store"));
  }
  readers_.wrote(batches);
  return {};
}

Status RocksStore::read_queue(QueueId queue, Seq from, Seq end, ReadLimit limit, std::vector<QueueRecord>& out) {
  Window window{.next = from, .limit = limit};
  while (window.next < end) {
    const QueueReaderPtr reader = readers_.take(db_, queue, window.next);
    QueueCursor cursor(
        reader->iterator, [&] { return reader->make_iterator(db_); }, queue, window.next);
    read_window(cursor, end, window, out);
    unreadable_.fetch_add(cursor.skipped(), std::memory_order_relaxed);
    const bool at_its_end = !reader->iterator->Valid();
    const bool is_fresh = reader->fresh;
    // An iterator at its end cannot see what was appended since it was made.
    at_its_end ? readers_.discard(reader) : readers_.keep(reader, window.next);
    if (const auto& error = cursor.error()) return tl::unexpected(*error);
    if (!at_its_end || is_fresh || window.is_full()) break;
  }
  return {};
}

void RocksStore::read_window(QueueCursor& cursor, Seq end, Window& window, std::vector<QueueRecord>& out) {
  while (!window.is_full() && cursor.settle(end) && cursor.seq() < end) {
    if (const auto message = decode_message(cursor.value())) {
      out.push_back({cursor.seq(), std::make_shared<const Message>(to_message(*message))});
      ++window.messages;
      window.bytes += counted_bytes(*message);
    } else {
      unreadable_.fetch_add(1, std::memory_order_relaxed);
    }
    window.next = Seq{cursor.seq().value + 1};
    cursor.advance();
  }
}

Status RocksStore::scan(std::string_view prefix,
                        const std::function<bool(std::string_view key, std::string_view value)>& visit) {
  const auto lost = scan_tolerantly(db_, Table::state, prefix, visit);
  if (!lost) return tl::unexpected(lost.error());
  unreadable_.fetch_add(*lost, std::memory_order_relaxed);
  return {};
}

bool RocksStore::is_empty_from(QueueId queue, Seq end) {
  std::string value;
  const auto status = db_->Get({}, db_.family(Table::state), queue_tail_key(queue), &value);
  if (status.IsNotFound()) return true;
  const auto tail = decode_queue_tail(value);
  return status.ok() && tail && tail->next <= end;
}

Status RocksStore::reclaim(QueueId queue, Seq end) {
  const QueueKey first(queue, Seq{0});
  const QueueKey last(queue, end);
  const rocksdb::Slice from = slice(first.view());
  const rocksdb::Slice to = slice(last.view());
  auto* family = db_.family(Table::queue);
  // Not synced: what a power cut brings back stands below the committed head, where nobody reads.
  auto status = db_->DeleteRange({}, family, from, to);
  readers_.drop_all();  // they pin the files
  if (status.ok()) status = rocksdb::DeleteFilesInRange(db_.get(), family, &from, &to, false);
  // Whole files of level 0 are not dropped that way: once nothing is left to carry along, a compaction is cheap.
  if (status.ok() && is_empty_from(queue, end)) {
    status = db_->Flush({}, family);
    if (status.ok()) status = db_->CompactRange({}, family, &from, &to);
  }
  if (!status.ok()) return tl::unexpected(to_error(status, "giving the space of a drained queue back"));
  return {};
}

uint64_t RocksStore::disk_bytes() const {
  uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator at(path_, error), end; !error && at != end; at.increment(error)) {
    struct stat info {};
    if (::stat(at->path().c_str(), &info) == 0) bytes += static_cast<uint64_t>(info.st_blocks) * 512;
  }
  return bytes;
}

Status RocksStore::mark_clean() {
  Batch mark;
  mark.put(Table::state, clean_stop_key(), encode_u32(format_version));
  const Batch* const all[] = {&mark};
  return write(all, true);
}

}  // namespace

Result<std::unique_ptr<Store>> open_rocks_store(const RocksFolder& folder) {
  auto store = std::make_unique<RocksStore>(folder.memory_bytes);
  if (auto opened = store->open(folder); !opened) return tl::unexpected(opened.error());
  return store;
}

}  // namespace tidegate::store
