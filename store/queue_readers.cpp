#include "store/queue_readers.h"

#include <algorithm>
#include <limits>

namespace tidegate::store {
namespace {

constexpr size_t readers_max = 4;

QueueReaderPtr make_reader(const RocksDb& db, QueueId queue, Seq from) {
  auto reader = std::make_shared<QueueReader>();
  reader->queue = queue;
  reader->next = from;
  reader->lower = QueueKey(queue, from).view();
  reader->lower_slice = reader->lower;
  rocksdb::ReadOptions& options = reader->options;
  options.iterate_lower_bound = &reader->lower_slice;
  if (queue.value != std::numeric_limits<uint32_t>::max()) {
    append_big_endian(reader->upper, queue.value + 1);
    reader->upper_slice = reader->upper;
    options.iterate_upper_bound = &reader->upper_slice;
  }
  options.fill_cache = false;  // every record is read once
  reader->iterator = reader->make_iterator(db);
  reader->iterator->Seek(reader->lower_slice);
  return reader;
}

// Whether the change erases something of `reader`'s queue at or behind its place.
bool erases_ahead(const Batch::Change& change, const QueueReader& reader) {
  if (change.table != Table::queue || change.kind == Batch::Change::Kind::put) return false;
  const QueueKey next(reader.queue, reader.next);
  if (change.kind == Batch::Change::Kind::erase)
    return change.key >= next.view() && change.key.substr(0, 4) == next.view().substr(0, 4);
  return change.value > next.view();
}

}  // namespace

std::unique_ptr<rocksdb::Iterator> QueueReader::make_iterator(const RocksDb& db) const {
  return std::unique_ptr<rocksdb::Iterator>(db->NewIterator(options, db.family(Table::queue)));
}

QueueReaderPtr QueueReaders::take(const RocksDb& db, QueueId queue, Seq from) {
  uint64_t born = 0;
  {
    std::lock_guard lock(mutex_);
    for (const auto& reader : readers_) {
      if (reader->in_use || reader->stale || reader->queue != queue || reader->next != from) continue;
      reader->in_use = true;
      reader->fresh = false;
      return reader;
    }
    born = bytes_written_;
  }
  auto reader = make_reader(db, queue, from);
  reader->in_use = true;
  reader->born = born;
  std::lock_guard lock(mutex_);
  // What was erased while it was made is not known: it serves this once.
  reader->stale = born != bytes_written_;
  readers_.push_back(reader);
  return reader;
}

void QueueReaders::keep(const QueueReaderPtr& reader, Seq next) {
  std::lock_guard lock(mutex_);
  reader->next = next;
  give_back(reader);
}

void QueueReaders::discard(const QueueReaderPtr& reader) {
  std::lock_guard lock(mutex_);
  reader->stale = true;
  give_back(reader);
}

void QueueReaders::give_back(const QueueReaderPtr& reader) {
  reader->in_use = false;
  forget_stale();
  // The oldest that nobody uses makes room.
  for (auto at = readers_.begin(); readers_.size() > readers_max && at != readers_.end();)
    at = (*at)->in_use ? at + 1 : readers_.erase(at);
}

void QueueReaders::wrote(std::span<const Batch* const> batches) {
  std::lock_guard lock(mutex_);
  for (const Batch* batch : batches) bytes_written_ += batch->bytes();
  if (readers_.empty()) return;
  for (const auto& reader : readers_)
    if (bytes_written_ - reader->born > bytes_max_) reader->stale = true;
  Batch::Change change;
  for (const Batch* batch : batches)
    for (size_t position = 0; batch->next(position, change);) {
      if (change.table != Table::queue || change.kind == Batch::Change::Kind::put) continue;
      for (const auto& reader : readers_)
        if (!reader->stale && erases_ahead(change, *reader)) reader->stale = true;
    }
  forget_stale();
}

void QueueReaders::drop_all() {
  std::lock_guard lock(mutex_);
  for (const auto& reader : readers_) reader->stale = true;
  forget_stale();
}

void QueueReaders::forget_stale() {
  std::erase_if(readers_, [](const QueueReaderPtr& reader) { return reader->stale && !reader->in_use; });
}

}  // namespace tidegate::store
