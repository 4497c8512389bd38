#include <fcntl.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "store/keys.h"
#include "store/log_files.h"
#include "store/rocks_db.h"
#include "store/rocks_scan.h"
#include "store/rocks_store.h"
#include "store/salvage_marks.h"

namespace tidegate::store {
namespace {

namespace fs = std::filesystem;

constexpr size_t write_bytes = 1 << 20;

class Salvage {
 public:
  Salvage(std::string from, std::string work, uint64_t memory_bytes, const LogLine& log)
      : from_(std::move(from)), work_(std::move(work)), memory_bytes_(memory_bytes), log_(log) {}

  Result<Salvaged> into(const std::string& to);

 private:
  Status copy_files();
  bool drop_unreadable_tables();
  bool open_copy();
  Status copy_state();
  Status copy_queues();
  IteratorPtr make_queue_iterator();
  Status copy_queue(QueueId queue, IteratorPtr& iterator);
  Status copy_lost_tables();
  Status copy_logs();
  Status settle_marks();
  void put(Table table, std::string_view key, std::string_view value);
  Status write_if_large() { return out_.GetDataSize() < write_bytes ? Status{} : write_out(); }
  Status write_out();
  [[nodiscard]] QueueHead head_of(QueueId queue) const;

  const std::string from_, work_;
  const uint64_t memory_bytes_;
  const LogLine& log_;
  RocksDb old_, new_;
  rocksdb::WriteBatch out_;
  uint64_t spots_ = 0;             // damage met where lost records cannot be counted
  uint64_t sequence_flushed_ = 0;  // newest change of the state that is in a table
  std::map<QueueId, QueueMarks> marks_;
};

Result<Salvaged> Salvage::into(const std::string& to) {
  RocksOptions options = rocks_options(memory_bytes_, log_);
  options.db.create_if_missing = true;
  options.db.error_if_exists = true;
  if (const auto status = new_.open(to, options); !status.ok())
    return tl::unexpected(to_error(status, "making a new store in " + to));

  if (auto copied = copy_files(); !copied) return tl::unexpected(copied.error());
  const bool opened = open_copy();
  const auto steps = {&Salvage::copy_state, &Salvage::copy_queues};
  if (opened)
    for (const auto step : steps)
      if (auto done = (this->*step)(); !done) return tl::unexpected(done.error());
  for (const auto step : {&Salvage::copy_lost_tables, &Salvage::copy_logs, &Salvage::settle_marks})
    if (auto done = (this->*step)(); !done) return tl::unexpected(done.error());

  Salvaged result;
  result.unreadable = spots_;
  for (const auto& [queue, marks] : marks_) {
    result.records += marks.records;
    result.unreadable += marks.missing();
  }
  uint64_t state_records = 0;
  const auto scanned = scan_tolerantly(new_, Table::state, "", [&](auto, auto) { return ++state_records > 0; });
  if (!scanned) return tl::unexpected(scanned.error());
  result.records += state_records;
  if (const auto status = new_->FlushWAL(true); !status.ok())
    return tl::unexpected(to_error(status, "writing the new store"));
  return result;
}

// Tables never change, so a link will do; the rest is small. Logs are read where they are.
Status Salvage::copy_files() {
  std::error_code error;
  fs::remove_all(work_, error);
  fs::create_directories(work_, error);
  if (error) return fail(ErrorCode::io, "making " + work_ + ": " + error.message());
  for (fs::directory_iterator at(from_, error), end; !error && at != end; at.increment(error)) {
    const fs::path name = at->path().filename();
    const std::string text = name.string();
    if (name.extension() == ".log" || text == "LOCK" || text.starts_with("LOG")) continue;
    std::error_code failed;
    if (name.extension() == ".sst") {
      fs::create_hard_link(at->path(), work_ / name, failed);
      if (!failed) continue;
    }
    fs::copy_file(at->path(), work_ / name, failed);
    if (failed == std::errc::no_space_on_device) return fail(ErrorCode::no_space, "copying a damaged store aside");
    if (failed) fs::remove(work_ / name, error);  // the disk cannot read it: it counts as lost
  }
  return {};
}

// Tables that do not even open; RocksDB could neither read around them nor repair them. True: there were some.
bool Salvage::drop_unreadable_tables() {
  bool any = false;
  std::error_code error;
  std::vector<fs::path> tables;
  for (fs::directory_iterator at(work_, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == ".sst") tables.push_back(at->path());
  for (const auto& table : tables) {
    rocksdb::Options options;
    rocksdb::SstFileReader reader(options);
    auto status = reader.Open(table.string());
    if (status.ok()) {
      const std::unique_ptr<rocksdb::Iterator> iterator(reader.NewIterator({}));
      iterator->Seek("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");  // reads its index, no data
      status = iterator->status();
    }
    if (status.ok()) continue;
    fs::remove(table, error);
    ++spots_;
    any = true;
  }
  return any;
}

bool Salvage::open_copy() {
  RocksOptions options = rocks_options(memory_bytes_, log_);
  options.db.paranoid_checks = false;
  options.db.create_missing_column_families = true;
  for (auto& family : options.families) family.options.disable_auto_compactions = true;

  bool opened = false;
  if (!drop_unreadable_tables() && old_.open(work_, options).ok()) {
    // A missing table of level 0 fails every read; others only their own keys.
    opened = true;
    for (const Table table : {Table::state, Table::queue}) {
      const std::unique_ptr<rocksdb::Iterator> iterator(old_->NewIterator({}, old_.family(table)));
      iterator->Seek("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
      opened = opened && iterator->status().ok();
    }
  }
  if (!opened) {
    old_.close();
    ++spots_;
    // Writes a new list of the tables. Those with a damaged block it moves to work/lost; they come later.
    if (!rocksdb::RepairDB(work_, options.db, options.families).ok()) return false;
    if (!old_.open(work_, options).ok()) return false;
  }
  std::vector<rocksdb::LiveFileMetaData> tables;
  old_->GetLiveFilesMetaData(&tables);
  for (const auto& table : tables)
    if (table.column_family_name == rocksdb::kDefaultColumnFamilyName)
      sequence_flushed_ = std::max(sequence_flushed_, table.largest_seqno);
  return true;
}

void Salvage::put(Table table, std::string_view key, std::string_view value) {
  const auto status = out_.Put(new_.family(table), slice(key), slice(value));
  TIDEGATE_CHECK(status.ok());
}

Status Salvage::write_out() {
  const auto status = new_->Write({}, &out_);
  out_.Clear();
  if (!status.ok()) return tl::unexpected(to_error(status, "carrying over a damaged store"));
  return {};
}

Status Salvage::copy_state() {
  Status written;
  const auto lost = scan_tolerantly(old_, Table::state, "", [&](std::string_view key, std::string_view value) {
    note_mark(marks_, key, value);
    put(Table::state, key, value);
    written = write_if_large();
    return written.has_value();
  });
  if (!written) return written;
  if (lost) spots_ += *lost;
  return write_out();
}

QueueHead Salvage::head_of(QueueId queue) const {
  const auto at = marks_.find(queue);
  return at == marks_.end() ? QueueHead{} : at->second.head;
}

IteratorPtr Salvage::make_queue_iterator() {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  return IteratorPtr(old_->NewIterator(options, old_.family(Table::queue)));
}

// Queue by queue, from its head: the queues that have marks and those that only have records.
Status Salvage::copy_queues() {
  IteratorPtr iterator = make_queue_iterator();
  QueueId queue{0};
  while (true) {
    if (!iterator->status().ok()) iterator = make_queue_iterator();  // it would remember the damage
    iterator->Seek(slice(QueueKey(queue, head_of(queue).first).view()));
    if (iterator->Valid()) {
      const auto place = parse_queue_key(view(iterator->key()));
      if (!place) break;
      if (place->queue != queue) {
        queue = place->queue;
        continue;  // from that queue's head
      }
      if (auto copied = copy_queue(queue, iterator); !copied) return copied;
    } else if (iterator->status().ok()) {
      break;
    } else if (auto copied = copy_queue(queue, iterator); !copied) {
      return copied;
    }
    if (iterator->Valid() || iterator->status().ok()) {
      ++queue.value;
    } else {  // damage up to the end of the queue: on to the next one that is known
      const auto next = marks_.upper_bound(queue);
      if (next == marks_.end()) break;
      queue = next->first;
    }
    if (queue.value == 0) break;
  }
  return write_out();
}

Status Salvage::copy_queue(QueueId queue, IteratorPtr& iterator) {
  const auto marks = marks_.find(queue);
  const Seq from = head_of(queue).first;
  const Seq end = marks != marks_.end() && marks->second.tail.next > from ? marks->second.tail.next : Seq{~uint64_t{0}};
  QueueCursor cursor(
      iterator, [this] { return make_queue_iterator(); }, queue, from);
  while (cursor.settle(end)) {
    put(Table::queue, QueueKey(queue, cursor.seq()).view(), cursor.value());
    if (auto written = write_if_large(); !written) return written;
    cursor.advance();
  }
  return {};
}

// Tables that the repair gave up for some damaged blocks. A record twice is better than none.
Status Salvage::copy_lost_tables() {
  std::error_code error;
  for (fs::directory_iterator at(work_ + "/lost", error), end; !error && at != end; at.increment(error)) {
    rocksdb::Options options;
    rocksdb::SstFileReader reader(options);
    if (at->path().extension() != ".sst" || !reader.Open(at->path().string()).ok()) continue;
    const auto properties = reader.GetTableProperties();
    const bool state = !properties || properties->column_family_name == rocksdb::kDefaultColumnFamilyName;
    Status written;
    const auto make = [&reader] { return IteratorPtr(reader.NewIterator({})); };
    const auto lost = scan_tolerantly(make, [&](std::string_view key, std::string_view value) {
      std::string present;
      if (state) {  // never over something newer
        if (new_->Get({}, new_.family(Table::state), slice(key), &present).IsNotFound()) {
          note_mark(marks_, key, value);
          put(Table::state, key, value);
        }
      } else if (const auto place = parse_queue_key(key); place && place->seq >= head_of(place->queue).first) {
        put(Table::queue, key, value);
      }
      written = write_if_large();
      return written.has_value();
    });
    if (!written) return written;
    spots_ += lost.value_or(1);
  }
  return write_out();
}

// Takes what a log holds beyond the tables. A queue record is written once and erased at most once, so doing that again
// is harmless; the state must not go back to an older value.
class Replay : public rocksdb::WriteBatch::Handler {
 public:
  Replay(const RocksDb& db, rocksdb::WriteBatch& out, uint64_t sequence, uint64_t flushed)
      : db_(db), out_(out), sequence_(sequence), flushed_(flushed) {}
  rocksdb::Status PutCF(uint32_t family, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    return wanted(family) ? out_.Put(db_.family(Table{uint8_t(family)}), key, value) : rocksdb::Status::OK();
  }
  rocksdb::Status DeleteCF(uint32_t family, const rocksdb::Slice& key) override {
    return wanted(family) ? out_.Delete(db_.family(Table{uint8_t(family)}), key) : rocksdb::Status::OK();
  }
  rocksdb::Status DeleteRangeCF(uint32_t family, const rocksdb::Slice& first, const rocksdb::Slice& end) override {
    return wanted(family) ? out_.DeleteRange(db_.family(Table{uint8_t(family)}), first, end) : rocksdb::Status::OK();
  }

 private:
  bool wanted(uint32_t family) {
    const uint64_t sequence = sequence_++;
    return family == uint32_t(Table::queue) || (family == uint32_t(Table::state) && sequence > flushed_);
  }
  const RocksDb& db_;
  rocksdb::WriteBatch& out_;
  uint64_t sequence_;
  const uint64_t flushed_;
};

Status Salvage::copy_logs() {
  Status written;
  spots_ += read_logs(from_, [&](std::string_view record) {
    const auto head = log_record_head(record);
    if (!head) return true;
    rocksdb::WriteBatch batch{std::string(record)};
    Replay replay(new_, out_, head->sequence, sequence_flushed_);
    batch.Iterate(&replay).PermitUncheckedError();  // what is odd in it ends it
    written = write_if_large();
    return written.has_value();
  });
  if (!written) return written;
  return write_out();
}

// Brings marks and records together again: places are never given twice, and what is waiting is what is there.
Status Salvage::settle_marks() {
  marks_.clear();
  uint32_t next_id = 1;
  bool has_next_id = false;
  Result<uint64_t> read = scan_tolerantly(new_, Table::state, "", [&](std::string_view key, std::string_view value) {
    note_mark(marks_, key, value);
    if (key == next_queue_id_key())
      if (const auto id = decode_u32(value)) next_id = std::max(next_id, *id), has_next_id = true;
    // Every id in use counts, should "Q" be lost.
    std::optional<uint32_t> used;
    if (key.starts_with('N')) used = decode_u32(value);
    if (const auto session = key.starts_with('S') ? decode_session(value) : std::nullopt) used = session->queue.value;
    if (used && *used >= next_id) next_id = *used + 1, has_next_id = true;
    return true;
  });
  if (!read) return tl::unexpected(read.error());
  read = scan_tolerantly(new_, Table::queue, "", [&](std::string_view key, std::string_view value) {
    const auto place = parse_queue_key(key);
    const auto message = place ? decode_message(value) : std::nullopt;
    if (message && place->seq >= head_of(place->queue).first)
      marks_[place->queue].saw(place->seq, counted_bytes(*message));
    else
      TIDEGATE_CHECK(out_.Delete(new_.family(Table::queue), slice(key)).ok());
    return true;
  });
  if (!read) return tl::unexpected(read.error());
  for (auto& [queue, marks] : marks_) {
    marks.settle();
    put(Table::state, queue_tail_key(queue), encode(marks.tail));
    put(Table::state, queue_head_key(queue), encode(marks.head));
    if (next_id <= queue.value) next_id = queue.value + 1, has_next_id = true;
  }
  if (has_next_id) put(Table::state, next_queue_id_key(), encode_u32(next_id));
  TIDEGATE_CHECK(out_.Delete(new_.family(Table::state), slice(clean_stop_key())).ok());
  put(Table::state, format_key(), encode_u32(format_version));
  return write_out();
}

}  // namespace

Result<Salvaged> salvage_rocks(const std::string& from, const std::string& work, const std::string& to,
                               uint64_t memory_bytes, const LogLine& log) {
  Result<Salvaged> result = Salvage(from, work, memory_bytes, log).into(to);
  std::error_code error;
  fs::remove_all(work, error);
  return result;
}

}  // namespace tidegate::store
