#include "store/open_store.h"

#include <filesystem>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "store/keys.h"
#include "store/rocks_store.h"
#include "store/store_folder.h"

namespace tidegate::store {
namespace {

// Makes db/ with nothing but the format version, whole or not at all.
Status make_database(const StoreFolder& folder, const OpenOptions& options) {
  {
    std::error_code ignored;  // RocksDB complains aloud about a folder that is not there yet, and makes it
    std::filesystem::create_directories(folder.new_database(), ignored);
    auto made = open_rocks_store({folder.new_database(), options.memory_bytes, true, options.log});
    if (!made) return tl::unexpected(made.error());
    Batch first;
    first.put(Table::state, format_key(), encode_u32(format_version));
    const Batch* const all[] = {&first};
    if (auto written = (*made)->write(all, true); !written) return written;
  }
  return folder.install_new_database();
}

struct SetAside {
  std::string where;
  Salvaged salvaged;
};

// Carries over what can be read of db/ into a new one, and sets the damaged one aside. A power cut at any point leaves
// either the damaged one in its place or the complete new one.
Result<SetAside> replace_damaged(const StoreFolder& folder, const OpenOptions& options) {
  if (auto tidied = folder.tidy_up(); !tidied) return tl::unexpected(tidied.error());
  auto salvaged =
      salvage_rocks(folder.database(), folder.work(), folder.new_database(), options.memory_bytes, options.log);
  if (!salvaged) return tl::unexpected(salvaged.error());
  auto where = folder.set_database_aside();
  if (!where) return tl::unexpected(where.error());
  if (auto installed = folder.install_new_database(); !installed) return tl::unexpected(installed.error());
  return SetAside{std::move(*where), *salvaged};
}

// Keeps the folder's lock, and heals. When RocksDB meets damage while it compacts, it takes no write any more, not even
// after a restart: then the database is replaced as at a damaged start. When its log could not be written for another
// reason than space, it must be opened anew. In both cases the write is made again.
class HealingStore : public Store {
 public:
  HealingStore(StoreFolder folder, OpenOptions options, std::unique_ptr<Store> inner)
      : folder_(std::move(folder)), options_(std::move(options)), inner_(std::move(inner)) {}

  Status write(std::span<const Batch* const> batches, bool sync) override {
    {
      std::shared_lock lock(mutex_);
      if (inner_) {
        auto written = inner_->write(batches, sync);
        if (written) return written;
        damaged_ = written.error().code == ErrorCode::corrupt;
        if (!damaged_ && written.error().code != ErrorCode::not_available) return written;
      }
    }
    std::unique_lock lock(mutex_);
    if (auto healed = heal(); !healed) return healed;
    return inner_->write(batches, sync);
  }
  Status read_queue(QueueId queue, Seq from, Seq end, ReadLimit limit, std::vector<QueueRecord>& out) override {
    std::shared_lock lock(mutex_);
    return inner_ ? inner_->read_queue(queue, from, end, limit, out) : closed();
  }
  Status scan(std::string_view prefix,
              const std::function<bool(std::string_view key, std::string_view value)>& visit) override {
    std::shared_lock lock(mutex_);
    return inner_ ? inner_->scan(prefix, visit) : closed();
  }
  Status reclaim(QueueId queue, Seq end) override {
    std::shared_lock lock(mutex_);
    return inner_ ? inner_->reclaim(queue, end) : closed();
  }
  [[nodiscard]] uint64_t disk_bytes() const override {
    std::shared_lock lock(mutex_);
    return inner_ ? inner_->disk_bytes() : 0;
  }
  Status mark_clean() override {
    std::shared_lock lock(mutex_);
    return inner_ ? inner_->mark_clean() : closed();
  }
  [[nodiscard]] uint64_t unreadable() const override {
    std::shared_lock lock(mutex_);
    return unreadable_before_ + (inner_ ? inner_->unreadable() : 0);
  }
  [[nodiscard]] std::string set_aside() const override {
    std::shared_lock lock(mutex_);
    return set_aside_;
  }

 private:
  static Status closed() {
    return fail(ErrorCode::not_available, "the store is closed after a failure; opening it is tried again");
  }

  // REQUIRES: mutex_ held alone.
  Status heal() {
    if (inner_) unreadable_before_ += inner_->unreadable();
    inner_.reset();
    if (damaged_) {
      auto replaced = replace_damaged(folder_, options_);
      if (!replaced) return tl::unexpected(replaced.error());
      damaged_ = false;
      set_aside_ = replaced->where;
      unreadable_before_ += replaced->salvaged.unreadable;
    }
    auto opened = open_rocks_store({folder_.database(), options_.memory_bytes, false, options_.log});
    if (!opened) {
      damaged_ = opened.error().code == ErrorCode::corrupt;  // next time
      return tl::unexpected(opened.error());
    }
    inner_ = std::move(*opened);
    return {};
  }

  const StoreFolder folder_;
  const OpenOptions options_;
  mutable std::shared_mutex mutex_;  // shared: use; alone: replace
  std::unique_ptr<Store> inner_;     // null: closed, and not opened again so far
  std::string set_aside_;
  uint64_t unreadable_before_ = 0;
  bool damaged_ = false;  // the writer's: to be replaced before it is opened
};

// The value of one state record, empty if there is none.
Result<std::string> get_state(Store& store, const std::string& key) {
  std::string found;
  auto scanned = store.scan(key, [&](std::string_view k, std::string_view value) {
    if (k == key) found = value;
    return false;
  });
  if (!scanned) return tl::unexpected(scanned.error());
  return found;
}

enum class Format : uint8_t { ours, newer, damaged };
Result<Format> format_of(Store& store) {
  auto value = get_state(store, format_key());
  if (!value) return tl::unexpected(value.error());
  const auto version = decode_u32(*value);
  if (!version || *version == 0) return Format::damaged;
  return *version > format_version ? Format::newer : Format::ours;
}

Status open_database(const StoreFolder& folder, const OpenOptions& options, Opened& result,
                     std::unique_ptr<Store>& store) {
  const RocksFolder database{folder.database(), options.memory_bytes, false, options.log};
  auto opened = open_rocks_store(database);
  Result<Format> format = Format::damaged;
  if (opened) {
    format = format_of(**opened);
    if (!format) return tl::unexpected(format.error());
  } else if (opened.error().code != ErrorCode::corrupt) {
    return tl::unexpected(opened.error());
  }
  if (*format == Format::ours) {
    store = std::move(*opened);
    return {};
  }
  if (opened) opened->reset();
  if (*format == Format::newer) {
    if (!options.set_aside_newer)
      return fail(ErrorCode::newer_format,
                  "the store in " + options.path +
                      " was written by a newer version; install that version again, or set store.on_newer to "
                      "\"set_aside\" to start with an empty one and keep the newer aside");
    auto where = folder.set_database_aside();
    if (!where) return tl::unexpected(where.error());
    result.set_aside = std::move(*where);
    if (auto made = make_database(folder, options); !made) return made;
  } else {
    auto replaced = replace_damaged(folder, options);
    if (!replaced) return tl::unexpected(replaced.error());
    result.set_aside = std::move(replaced->where);
    result.salvaged = replaced->salvaged.records;
    result.unreadable = replaced->salvaged.unreadable;
  }
  opened = open_rocks_store(database);
  if (!opened) return tl::unexpected(opened.error());
  store = std::move(*opened);
  return {};
}

}  // namespace

Result<Opened> open_store(const OpenOptions& options) {
  auto folder = StoreFolder::open(options.path);
  if (!folder) return tl::unexpected(folder.error());
  const auto present = folder->tidy_up();
  if (!present) return tl::unexpected(present.error());

  Opened result;
  result.created = !*present;
  if (result.created)
    if (auto made = make_database(*folder, options); !made) return tl::unexpected(made.error());
  std::unique_ptr<Store> store;
  if (auto opened = open_database(*folder, options, result, store); !opened) return tl::unexpected(opened.error());

  const auto mark = get_state(*store, clean_stop_key());
  if (!mark) return tl::unexpected(mark.error());
  result.clean = result.created || !mark->empty();
  if (!mark->empty()) {
    Batch running;
    running.erase(Table::state, clean_stop_key());
    const Batch* const all[] = {&running};
    if (auto written = store->write(all, true); !written) return tl::unexpected(written.error());
  }
  result.store = std::make_unique<HealingStore>(std::move(*folder), options, std::move(store));
  return result;
}

}  // namespace tidegate::store
