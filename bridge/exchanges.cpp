#include "bridge/exchanges.h"

#include <algorithm>

#include "gateway/base/bytes.h"
#include "store/keys.h"
#include "store/records.h"

namespace tidegate::bridge {
namespace {

using store::Table;

// Other bridges stand still while a link's callback waits for the disk.
constexpr Millis disk_wait_max{2000};

void sort_by_message(std::vector<Exchange>& exchanges) {
  std::sort(exchanges.begin(), exchanges.end(), [](const Exchange& a, const Exchange& b) { return a.seq < b.seq; });
}

}  // namespace

Result<ExchangeMarks> read_exchanges(store::Store& store, QueueId out, QueueId inbox) {
  ExchangeMarks marks;
  auto packet_id = [](std::string_view key, const std::string& prefix) {
    return key.size() == prefix.size() + sizeof(PacketId) ? load_big_endian<PacketId>(key.substr(prefix.size()))
                                                          : PacketId{0};
  };
  const std::string up = store::exchange_prefix(out), down = store::exchange_prefix(inbox);
  auto scanned = store.scan(up, [&](std::string_view key, std::string_view value) {
    const auto record = store::decode_inflight(value);
    const PacketId id = packet_id(key, up);
    if (record && id != 0) marks.up.push_back({id, record->seq, record->released});
    return true;
  });
  if (!scanned) return tl::unexpected(scanned.error());
  scanned = store.scan(down, [&](std::string_view key, std::string_view) {
    if (const PacketId id = packet_id(key, down); id != 0) marks.down.push_back(id);
    return true;
  });
  if (!scanned) return tl::unexpected(scanned.error());
  sort_by_message(marks.up);
  return marks;
}

Exchanges::Exchanges(QueueId out, QueueId inbox, const ExchangeMarks& marks, store::Committer& committer)
    : out_(out), inbox_(inbox), committer_(committer), down_(marks.down.begin(), marks.down.end()) {
  for (const Exchange& e : marks.up) up_.emplace(e.packet_id, Up{e.seq, e.released, true, true, {}});
}

ExchangeMarks Exchanges::marks() const {
  std::lock_guard lock(mutex_);
  ExchangeMarks marks;
  for (const auto& [id, up] : up_) marks.up.push_back({id, up.seq, up.released});
  sort_by_message(marks.up);
  marks.down.assign(down_.begin(), down_.end());
  return marks;
}

void Exchanges::connection_begins() {
  std::lock_guard lock(mutex_);
  for (auto& [id, up] : up_) up.resumed = up.published = true;
  held_.clear();
  last_given_ = 0;
}

bool Exchanges::is_resuming() const {
  std::lock_guard lock(mutex_);
  return std::any_of(up_.begin(), up_.end(), [](const auto& entry) { return entry.second.resumed; });
}

bool Exchanges::prepare(std::span<const Seq> publishes, store::Batch& batch) {
  Ticket ticket;
  {
    std::lock_guard lock(mutex_);
    PacketId id = last_given_;
    std::vector<PacketId> ids;
    for (const Seq seq : publishes) {
      id = next_free(id);
      ids.push_back(id);
      put(id, up_.emplace(id, Up{seq, false, false, false, {}}).first->second, batch);
    }
    ticket = committer_.submit(batch);
    for (const PacketId prepared : ids) up_.at(prepared).on_disk_with = ticket;
  }
  return wait(ticket);
}

void Exchanges::id_given(PacketId packet_id) {
  std::lock_guard lock(mutex_);
  last_given_ = packet_id;
}

void Exchanges::hold(PacketId packet_id) {
  std::lock_guard lock(mutex_);
  held_.insert(packet_id);
}

void Exchanges::let_go(PacketId packet_id) {
  std::lock_guard lock(mutex_);
  held_.erase(packet_id);
}

bool Exchanges::publish(PacketId packet_id) {
  Ticket ticket;
  {
    std::lock_guard lock(mutex_);
    auto at = up_.find(packet_id);
    if (at != up_.end() && at->second.published) return true;  // sent again
    const auto expected = next_to_publish();
    if (!expected) return false;
    if (at == up_.end() || at->second.seq != *expected) {
      store::Batch batch;
      if (!renumber(packet_id, batch)) return false;
      ticket = committer_.submit(batch);
      for (auto& [id, up] : up_) {
        if (!up.published) up.on_disk_with = ticket;
      }
    }
    Up& up = up_.at(packet_id);
    up.published = true;
    ticket = up.on_disk_with;
  }
  return wait(ticket);
}

bool Exchanges::release(PacketId packet_id) {
  Ticket ticket;
  {
    std::lock_guard lock(mutex_);
    auto at = up_.find(packet_id);
    if (at == up_.end()) return true;  // not ours: the answer is right all the same
    Up& up = at->second;
    if (!up.released) {
      up.released = true;
      store::Batch batch;
      put(packet_id, up, batch);
      up.on_disk_with = committer_.submit(batch);
    }
    ticket = up.on_disk_with;
  }
  return wait(ticket);
}

std::optional<Exchanges::Ended> Exchanges::end(PacketId packet_id) {
  std::lock_guard lock(mutex_);
  auto at = up_.find(packet_id);
  if (at == up_.end()) return std::nullopt;
  const Ended ended{{packet_id, at->second.seq, at->second.released}, at->second.resumed};
  ended_.emplace(at->second.seq, packet_id);
  up_.erase(at);
  return ended;
}

void Exchanges::erase_ended(Seq seq, store::Batch& batch) {
  std::lock_guard lock(mutex_);
  auto at = ended_.find(seq);
  if (at == ended_.end()) return;
  batch.erase(Table::state, store::exchange_key(out_, at->second));
  ended_.erase(at);
}

bool Exchanges::is_received(PacketId packet_id) const {
  std::lock_guard lock(mutex_);
  return down_.contains(packet_id);
}

void Exchanges::receive(PacketId packet_id, store::Batch& batch) {
  std::lock_guard lock(mutex_);
  down_.insert(packet_id);
  batch.put(Table::state, store::exchange_key(inbox_, packet_id), {});
}

bool Exchanges::forget(PacketId packet_id) {
  Ticket ticket;
  {
    std::lock_guard lock(mutex_);
    if (!down_.contains(packet_id)) return true;
    store::Batch batch;
    batch.erase(Table::state, store::exchange_key(inbox_, packet_id));
    ticket = committer_.submit(batch);
  }
  if (!wait(ticket)) return false;
  std::lock_guard lock(mutex_);
  down_.erase(packet_id);
  return true;
}

ExchangeMarks Exchanges::clear(store::Batch& batch) {
  ExchangeMarks old = marks();
  std::lock_guard lock(mutex_);
  for (const Exchange& e : old.up) batch.erase(Table::state, store::exchange_key(out_, e.packet_id));
  for (const PacketId id : old.down) batch.erase(Table::state, store::exchange_key(inbox_, id));
  up_.clear();
  down_.clear();
  return old;
}

PacketId Exchanges::next_free(PacketId after) const {
  PacketId id = after;
  do id = id == UINT16_MAX ? 1 : static_cast<PacketId>(id + 1);
  while (up_.contains(id) || held_.contains(id) || is_ending(id));
  return id;
}

bool Exchanges::is_ending(PacketId id) const {
  return std::any_of(ended_.begin(), ended_.end(), [&](const auto& ended) { return ended.second == id; });
}

std::optional<Seq> Exchanges::next_to_publish() const {
  std::optional<Seq> first;
  for (const auto& [id, up] : up_) {
    if (!up.published && (!first || up.seq < *first)) first = up.seq;
  }
  return first;
}

void Exchanges::put(PacketId id, const Up& up, store::Batch& batch) const {
  batch.put(Table::state, store::exchange_key(out_, id), store::encode(store::InflightRecord{up.seq, up.released}));
}

// The link has given out another id than was foreseen: what is prepared moves on behind it, in order. False: that id's
// last exchange is not off the disk yet.
bool Exchanges::renumber(PacketId first, store::Batch& batch) {
  std::vector<Exchange> prepared;
  for (auto at = up_.begin(); at != up_.end();) {
    if (at->second.published) {
      ++at;
      continue;
    }
    prepared.push_back({at->first, at->second.seq, false});
    batch.erase(Table::state, store::exchange_key(out_, at->first));
    at = up_.erase(at);
  }
  sort_by_message(prepared);
  PacketId id = first;
  for (const Exchange& e : prepared) {
    if (is_ending(id) || up_.contains(id)) return false;
    put(id, up_.emplace(id, Up{e.seq, false, false, false, {}}).first->second, batch);
    id = next_free(id);
  }
  return true;
}

bool Exchanges::wait(Ticket ticket) {
  return ticket == Ticket{} || committer_.wait(ticket, disk_wait_max).has_value();
}

}  // namespace tidegate::bridge
