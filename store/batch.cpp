#include "store/batch.h"

#include <cstring>
#include <limits>

#include "gateway/base/result.h"

namespace tidegate::store {
namespace {

constexpr size_t header_size = 1 + 4 + 4;
constexpr size_t kept_bytes_max = 1 << 20;  // memory that an empty batch may keep

uint32_t load(const char* at) {
  uint32_t v;
  std::memcpy(&v, at, sizeof v);
  return v;
}

}  // namespace

size_t Batch::open_change(Change::Kind kind, Table table, std::string_view key) {
  TIDEGATE_CHECK(key.size() <= std::numeric_limits<uint32_t>::max());
  const size_t start = data_.size();
  char header[header_size] = {};
  header[0] = static_cast<char>(static_cast<uint8_t>(kind) << 4 | static_cast<uint8_t>(table));
  const auto key_size = static_cast<uint32_t>(key.size());
  std::memcpy(header + 1, &key_size, sizeof key_size);
  data_.append(header, sizeof header);
  data_.append(key);
  return start;
}

void Batch::close_change(size_t start, size_t key_size) {
  const size_t size = data_.size() - start - header_size - key_size;
  TIDEGATE_CHECK(size <= std::numeric_limits<uint32_t>::max());
  const auto value_size = static_cast<uint32_t>(size);
  std::memcpy(data_.data() + start + 5, &value_size, sizeof value_size);
  ++count_;
}

void Batch::add(Change::Kind kind, Table table, std::string_view key, std::string_view value) {
  const size_t start = open_change(kind, table, key);
  data_.append(value);
  close_change(start, key.size());
}

void Batch::append(const Batch& other) {
  data_.append(other.data_);
  count_ += other.count_;
}

void Batch::clear() {
  if (data_.capacity() > kept_bytes_max) {
    std::string().swap(data_);
  } else {
    data_.clear();
  }
  count_ = 0;
}

bool Batch::next(size_t& position, Change& change) const {
  if (position >= data_.size()) return false;
  const char* at = data_.data() + position;
  const auto kind_and_table = static_cast<uint8_t>(at[0]);
  const size_t key_size = load(at + 1);
  const size_t value_size = load(at + 5);
  change.kind = static_cast<Change::Kind>(kind_and_table >> 4);
  change.table = static_cast<Table>(kind_and_table & 0x0F);
  change.key = {at + header_size, key_size};
  change.value = {at + header_size + key_size, value_size};
  position += header_size + key_size + value_size;
  return true;
}

}  // namespace tidegate::store
