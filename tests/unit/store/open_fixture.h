// Verbs for tests on a real folder: fill, stop, damage, start again, look.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "store/keys.h"
#include "store/open_store.h"
#include "store/queue.h"
#include "tests/support/temp_folder.h"

namespace tidegate::store {

// Payloads that do not compress: 300 bytes from a number.
inline std::string test_payload(uint64_t n) {
  std::string bytes;
  for (uint64_t x = n * 0x9E3779B97F4A7C15u + 1; bytes.size() < 300;) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    append_big_endian(bytes, x);
  }
  return bytes;
}

class OpenStore : public ::testing::Test {
 protected:
  static constexpr QueueId queue{7};

  void start(bool set_aside_newer = false) {
    stop();
    auto result = open_store({.path = path(), .set_aside_newer = set_aside_newer, .memory_bytes = 2u << 20});
    ASSERT_TRUE(result) << result.error().context;
    opened = std::move(*result);
  }
  void stop() { opened.store.reset(); }
  Status write(const Batch& batch, bool sync = true) {
    const Batch* const all[] = {&batch};
    return opened.store->write(all, sync);
  }
  void put_state(std::string_view key, std::string_view value) {
    Batch batch;
    batch.put(Table::state, key, value);
    ASSERT_TRUE(write(batch));
  }
  std::string state(std::string_view key) {
    std::string found;
    EXPECT_TRUE(opened.store->scan(key, [&](std::string_view k, std::string_view v) {
      if (k == key) found = v;
      return k != key;
    }));
    return found;
  }
  static std::string payload(uint64_t n) { return test_payload(n); }
  void append(uint64_t messages, uint64_t per_batch = 100) {
    QueueAppender appender(queue, tail);
    Batch batch;
    for (uint64_t n = 0; n < messages; ++n) {
      (void)appender.append(batch, {.topic = "t", .payload = payload(appender.tail().next.value)});
      if ((n + 1) % per_batch != 0 && n + 1 != messages) continue;
      appender.flush(batch);
      ASSERT_TRUE(write(batch, n + 1 == messages));
      batch.clear();
    }
    tail = appender.tail();
  }
  // All records from the stored head to the stored tail; checks order and content.
  uint64_t count_readable() {
    const auto head = decode_queue_head(state(queue_head_key(queue))).value_or(QueueHead{});
    const auto stored = decode_queue_tail(state(queue_tail_key(queue))).value_or(QueueTail{});
    uint64_t count = 0;
    Seq from = head.first;
    while (true) {
      std::vector<QueueRecord> out;
      EXPECT_TRUE(opened.store->read_queue(queue, from, stored.next, {.messages_max = 333}, out));
      if (out.empty()) return count;
      for (const auto& record : out) {
        EXPECT_GE(record.seq, from);
        EXPECT_EQ(record.message->payload, payload(record.seq.value));
        from = Seq{record.seq.value + 1};
      }
      count += out.size();
    }
  }
  QueueSize stored_size() {
    return size_of(decode_queue_tail(state(queue_tail_key(queue))).value_or(QueueTail{}),
                   decode_queue_head(state(queue_head_key(queue))).value_or(QueueHead{}));
  }

  // --- damage ---
  [[nodiscard]] std::string path() const { return folder.path() + "/data"; }
  [[nodiscard]] std::string database() const { return path() + "/db"; }
  [[nodiscard]] std::vector<std::string> files(std::string_view in_name, std::string where = {}) const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(where.empty() ? database() : where))
      if (entry.path().filename().string().find(in_name) != std::string::npos) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
  }
  [[nodiscard]] std::string largest(std::string_view in_name) const {
    auto all = files(in_name);
    EXPECT_FALSE(all.empty());
    return *std::max_element(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return std::filesystem::file_size(a) < std::filesystem::file_size(b);
    });
  }
  static void flip(const std::string& file, uint64_t at, size_t bytes = 8) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    std::string old(bytes, '\0');
    stream.seekg(static_cast<std::streamoff>(at)).read(old.data(), static_cast<std::streamsize>(bytes));
    for (char& c : old) c = static_cast<char>(~c);
    stream.seekp(static_cast<std::streamoff>(at)).write(old.data(), static_cast<std::streamsize>(bytes));
    ASSERT_TRUE(stream.good());
  }
  static void cut(const std::string& file, double share) {
    const auto size = static_cast<double>(std::filesystem::file_size(file));
    std::filesystem::resize_file(file, static_cast<uintmax_t>(size * share));
  }

  TempFolder folder;
  Opened opened;
  QueueTail tail;
};

}  // namespace tidegate::store
