// One RocksDB database with its two column families, and the words of RocksDB in ours. Only for rocks_*.cpp: nothing
// else includes RocksDB. RocksDB reports by status; the few calls that can throw (allocation) end the process.
#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "store/batch.h"
#include "store/open_store.h"

namespace tidegate::store {

// no_space, corrupt, in_use or io, with `what` and RocksDB's sentence.
[[nodiscard]] Error to_error(const rocksdb::Status& status, std::string_view what);
// The stored bytes are at fault, not the world around: a checksum, a missing or short file, a block that the disk
// cannot read.
[[nodiscard]] bool means_damage(const rocksdb::Status& status);

struct RocksOptions {
  rocksdb::DBOptions db;
  std::vector<rocksdb::ColumnFamilyDescriptor> families;  // state, queue: in the order of Table
};
// `memory_bytes` bounds write buffers and cache together, in all column families.
[[nodiscard]] RocksOptions rocks_options(uint64_t memory_bytes, const LogLine& log);

class RocksDb {
 public:
  RocksDb() = default;
  RocksDb(const RocksDb&) = delete;
  RocksDb& operator=(const RocksDb&) = delete;
  ~RocksDb() { close(); }

  [[nodiscard]] rocksdb::Status open(const std::string& path, const RocksOptions& options);
  void close();
  rocksdb::DB* operator->() const { return db_.get(); }
  [[nodiscard]] rocksdb::DB* get() const { return db_.get(); }
  [[nodiscard]] rocksdb::ColumnFamilyHandle* family(Table table) const { return families_[static_cast<size_t>(table)]; }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

// Appends the changes of `batch` to `write`.
void append_to(rocksdb::WriteBatch& write, const RocksDb& db, const Batch& batch);

[[nodiscard]] inline rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
[[nodiscard]] inline std::string_view view(const rocksdb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

}  // namespace tidegate::store
