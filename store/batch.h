// A batch: the changes of one loop turn, applied together or not at all. Puts and erases are absolute, so that applying
// a batch twice equals applying it once (ARCHITECTURE.md, invariant 8).
//
// One flat byte string, reused from turn to turn; nothing allocates per change. Thread: its owner's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate::store {

// state: sessions, subscriptions, in-flight marks, retained messages, wills, heads and tails of queues.
// queue: the records of all queues, by queue and place.
enum class Table : uint8_t { state = 0, queue = 1 };

class Batch {
 public:
  struct Change {
    enum class Kind : uint8_t { put, erase, erase_range } kind{};
    Table table{};
    std::string_view key;
    std::string_view value;  // put: the value; erase_range: the end of the range, exclusive
  };

  void put(Table table, std::string_view key, std::string_view value) { add(Change::Kind::put, table, key, value); }
  // As put, for a value that `append_value(std::string& out)` appends to `out`: saves a copy. It must only append.
  template <class AppendValue>
  void put_encoded(Table table, std::string_view key, AppendValue&& append_value) {
    const size_t start = open_change(Change::Kind::put, table, key);
    append_value(data_);
    close_change(start, key.size());
  }
  void erase(Table table, std::string_view key) { add(Change::Kind::erase, table, key, {}); }
  // Every key from `first` up to, not including, `end`.
  void erase_range(Table table, std::string_view first, std::string_view end) {
    add(Change::Kind::erase_range, table, first, end);
  }
  // All changes of `other`, after the ones already here.
  void append(const Batch& other);

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] size_t count() const { return count_; }
  [[nodiscard]] size_t bytes() const { return data_.size(); }
  void clear();  // keeps its memory, up to a bound

  // Takes the change at `position` (start with 0) and moves on. False at the end.
  [[nodiscard]] bool next(size_t& position, Change& change) const;

 private:
  // A change is: kind and table in one byte, key length, value length (native u32 each), key, value. Never on disk.
  size_t open_change(Change::Kind kind, Table table, std::string_view key);  // the place of its first byte
  void close_change(size_t start, size_t key_size);
  void add(Change::Kind kind, Table table, std::string_view key, std::string_view value);

  std::string data_;
  size_t count_ = 0;
};

}  // namespace tidegate::store
