#include "store/rocks_scan.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace tidegate::store {

bool QueueCursor::settle(Seq end) {
  if (!iterator_->Valid() && !iterator_->status().ok() && !pass_damage(end)) return false;
  if (!iterator_->Valid()) return false;
  const auto place = parse_queue_key(view(iterator_->key()));
  if (!place || place->queue != queue_) return false;
  place_ = *place;
  return true;
}

void QueueCursor::advance() {
  next_ = Seq{place_.seq.value + 1};
  iterator_->Next();
}

// True: a record, or honestly the end. With a new iterator each time: one that met damage goes on reporting it for places
// that it reads well at first, because a table's iterator keeps its place in the index over a failed block.
bool QueueCursor::seek(uint64_t seq) {
  iterator_ = make_();
  iterator_->Seek(slice(QueueKey(queue_, Seq{seq}).view()));
  return iterator_->status().ok();
}

bool QueueCursor::pass_damage(Seq end) {
  if (!means_damage(iterator_->status())) {
    error_ = to_error(iterator_->status(), "reading a queue");
    return false;
  }
  const uint64_t first = next_.value;
  const uint64_t last = std::max(first, end.value - 1);
  uint64_t bad = first;
  uint64_t good = first;
  // Steps grow by a sixteenth of what was passed: a lost file of 30,000 records takes some 150 tries.
  while (!seek(good)) {
    if (good == last) {  // nothing readable up to the end; of records that would stand there nothing is known
      skipped_ += 1;
      return false;
    }
    bad = good;
    good += std::min(last - good, 1 + (good - first) / 16);
  }
  while (good - bad > 1) {
    const uint64_t middle = bad + (good - bad) / 2;
    (seek(middle) ? good : bad) = middle;
  }
  if (!seek(good)) return false;
  const auto place = iterator_->Valid() ? parse_queue_key(view(iterator_->key())) : std::nullopt;
  skipped_ += place && place->queue == queue_ ? std::min(place->seq.value, end.value) - first : good - first;
  return true;
}

namespace {

std::string successor(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xFF') end.pop_back();
  if (!end.empty()) ++end.back();
  return end;
}

}  // namespace

Result<uint64_t> scan_tolerantly(const RocksDb& db, Table table, std::string_view prefix, const Visit& visit) {
  const std::string end = successor(prefix);
  const rocksdb::Slice end_slice(end);
  const rocksdb::Slice prefix_slice = slice(prefix);
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  if (!prefix.empty()) options.iterate_lower_bound = &prefix_slice;
  if (!end.empty()) options.iterate_upper_bound = &end_slice;
  return scan_tolerantly([&] { return IteratorPtr(db->NewIterator(options, db.family(table))); }, visit);
}

Result<uint64_t> scan_tolerantly(const IteratorMaker& make, const Visit& visit) {
  IteratorPtr iterator = make();
  std::string last;  // the key visited last
  bool any = false;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    if (!visit(view(iterator->key()), view(iterator->value()))) return 0;
    last = view(iterator->key());
    any = true;
  }
  if (iterator->status().ok()) return 0;
  if (!means_damage(iterator->status())) return tl::unexpected(to_error(iterator->status(), "reading the store"));

  iterator = make();
  std::vector<std::pair<std::string, std::string>> rest;
  for (iterator->SeekToLast(); iterator->Valid(); iterator->Prev()) {
    if (any && view(iterator->key()) <= last) break;
    rest.emplace_back(view(iterator->key()), view(iterator->value()));
  }
  for (auto at = rest.rbegin(); at != rest.rend(); ++at)
    if (!visit(at->first, at->second)) break;
  return 1;
}

}  // namespace tidegate::store
