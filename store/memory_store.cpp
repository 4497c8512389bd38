#include "store/memory_store.h"

#include "store/keys.h"

namespace tidegate::store {

Status MemoryStore::write(std::span<const Batch* const> batches, bool sync) {
  std::lock_guard lock(mutex_);
  if (failures_left_ > 0) {
    --failures_left_;
    return fail(failure_, failure_ == ErrorCode::no_space ? "No space left on device" : "Input/output error");
  }
  for (const Batch* batch : batches) apply(*batch);
  ++writes_;
  if (recording_) {
    Batch& all = recorded_.emplace_back();
    for (const Batch* batch : batches) all.append(*batch);
  }
  if (sync) {
    ++syncs_;
    synced_up_to_ = recorded_.size();
  }
  return {};
}

void MemoryStore::apply(const Batch& batch) {
  Batch::Change change;
  for (size_t position = 0; batch.next(position, change);) {
    Map& map = tables_[static_cast<size_t>(change.table)];
    switch (change.kind) {
      case Batch::Change::Kind::put: map.insert_or_assign(std::string(change.key), std::string(change.value)); break;
      case Batch::Change::Kind::erase:
        if (auto at = map.find(change.key); at != map.end()) map.erase(at);
        break;
      case Batch::Change::Kind::erase_range:
        if (change.key < change.value) map.erase(map.lower_bound(change.key), map.lower_bound(change.value));
        break;
    }
  }
}

Status MemoryStore::read_queue(QueueId queue, Seq from, Seq end, ReadLimit limit, std::vector<QueueRecord>& out) {
  std::lock_guard lock(mutex_);
  const Map& map = tables_[static_cast<size_t>(Table::queue)];
  size_t messages = 0;
  size_t bytes = 0;
  for (auto at = map.lower_bound(QueueKey(queue, from).view()); at != map.end(); ++at) {
    const auto place = parse_queue_key(at->first);
    if (!place || place->queue != queue || place->seq >= end) break;
    if (messages >= limit.messages_max || bytes >= limit.bytes_max) break;
    const auto view = decode_message(at->second);
    if (!view) {
      ++unreadable_;
      continue;
    }
    out.push_back({place->seq, std::make_shared<const Message>(to_message(*view))});
    ++messages;
    bytes += counted_bytes(*view);
  }
  return {};
}

Status MemoryStore::scan(std::string_view prefix,
                         const std::function<bool(std::string_view key, std::string_view value)>& visit) {
  const Map state = table(Table::state);  // `visit` may call back
  for (auto at = state.lower_bound(prefix); at != state.end() && at->first.starts_with(prefix); ++at)
    if (!visit(at->first, at->second)) break;
  return {};
}

Status MemoryStore::reclaim(QueueId queue, Seq end) {
  std::lock_guard lock(mutex_);
  Map& map = tables_[static_cast<size_t>(Table::queue)];
  map.erase(map.lower_bound(QueueKey(queue, Seq{0}).view()), map.lower_bound(QueueKey(queue, end).view()));
  return {};
}

uint64_t MemoryStore::disk_bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const Map& map : tables_)
    for (const auto& [key, value] : map) bytes += key.size() + value.size();
  return bytes;
}

Status MemoryStore::mark_clean() {
  Batch mark;
  mark.put(Table::state, clean_stop_key(), encode_u32(format_version));
  const Batch* const all[] = {&mark};
  return write(all, true);
}

uint64_t MemoryStore::unreadable() const {
  std::lock_guard lock(mutex_);
  return unreadable_;
}

void MemoryStore::fail_next(size_t writes, ErrorCode code) {
  std::lock_guard lock(mutex_);
  failures_left_ = writes;
  failure_ = code;
}

void MemoryStore::record_writes() {
  std::lock_guard lock(mutex_);
  recording_ = true;
}

size_t MemoryStore::writes() const {
  std::lock_guard lock(mutex_);
  return writes_;
}

size_t MemoryStore::syncs() const {
  std::lock_guard lock(mutex_);
  return syncs_;
}

std::unique_ptr<MemoryStore> MemoryStore::after(size_t writes) const {
  std::lock_guard lock(mutex_);
  TIDEGATE_CHECK(recording_ && writes <= recorded_.size());
  auto store = std::make_unique<MemoryStore>();
  for (size_t i = 0; i < writes; ++i) store->apply(recorded_[i]);
  return store;
}

std::unique_ptr<MemoryStore> MemoryStore::copy() const {
  std::lock_guard lock(mutex_);
  auto store = std::make_unique<MemoryStore>();
  store->tables_[0] = tables_[0];
  store->tables_[1] = tables_[1];
  return store;
}

std::unique_ptr<MemoryStore> MemoryStore::after_power_cut() const {
  size_t writes;
  {
    std::lock_guard lock(mutex_);
    writes = synced_up_to_;
  }
  return after(writes);
}

MemoryStore::Map MemoryStore::table(Table table) const {
  std::lock_guard lock(mutex_);
  return tables_[static_cast<size_t>(table)];
}

}  // namespace tidegate::store
