// The Store over RocksDB: one database, two column families, default = Table::state and "queue" = Table::queue.
// Nothing of RocksDB shows here; rocks_db.h and rocks_*.cpp are the only files that include it.
#pragma once

#include <memory>
#include <string>

#include "store/open_store.h"

namespace tidegate::store {

struct RocksFolder {
  std::string path;  // the database's own folder
  uint64_t memory_bytes = 16u << 20;
  bool create = false;  // there must be none yet; else there must be one
  LogLine log{};
};

// Threads as Store says; several threads may read. Errors: corrupt (damaged: salvage it), no_space, in_use, io.
// Its `write` says corrupt if it needs a salvage and not_available if it needs to be opened anew.
[[nodiscard]] Result<std::unique_ptr<Store>> open_rocks_store(const RocksFolder& folder);

struct Salvaged {
  uint64_t records = 0;     // carried over
  uint64_t unreadable = 0;  // known to be lost, as far as can be told
};
// Copies every readable record of the damaged database in `from`, which it leaves as it is, into a new one in `to`,
// using `work` for temporary files (made, removed). `to` must not exist. Memory: a few times `memory_bytes`.
// Errors: no_space, io: of `to` or `work`; what was copied until then is in `to` and usable.
[[nodiscard]] Result<Salvaged> salvage_rocks(const std::string& from, const std::string& work, const std::string& to,
                                             uint64_t memory_bytes, const LogLine& log);

}  // namespace tidegate::store
