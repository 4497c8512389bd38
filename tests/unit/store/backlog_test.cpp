// The promise to show: a million messages wait on disk, and neither memory nor the start notices; drained, the disk is
// given back.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "store/keys.h"
#include "store/open_store.h"
#include "store/queue.h"
#include "tests/support/temp_folder.h"

namespace tidegate::store {
namespace {

constexpr QueueId queue{7};
constexpr uint64_t messages_total = 1'000'000;
constexpr uint64_t mib = 1 << 20;

uint64_t rss_bytes() {
  unsigned long size = 0, resident = 0;
  FILE* file = std::fopen("/proc/self/statm", "r");
  if (std::fscanf(file, "%lu %lu", &size, &resident) != 2) resident = 0;
  std::fclose(file);
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Prints what a phase cost.
class Phase {
 public:
  explicit Phase(const char* name) : name_(name) {}
  double end(uint64_t disk) {
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    std::printf("%-8s %6.3f s  %5.2f us CPU/message  RSS %3lu MB  disk %6.1f MB\n", name_, wall,
                (cpu_seconds() - cpu_) * 1e6 / messages_total, static_cast<unsigned long>(rss_bytes() / mib),
                static_cast<double>(disk) / mib);
    return wall;
  }

 private:
  const char* name_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double cpu_ = cpu_seconds();
};

std::unique_ptr<Store> open(const std::string& path) {
  auto opened = open_store({.path = path});
  EXPECT_TRUE(opened) << opened.error().context;
  return std::move(opened->store);
}

Status write(Store& store, const Batch& batch, bool sync) {
  const Batch* const all[] = {&batch};
  return store.write(all, sync);
}

QueueTail enqueue(Store& store) {
  QueueAppender appender(queue, {});
  std::string payload;
  for (int i = 0; payload.size() < 256; ++i) payload += "{\"t\":" + std::to_string(i * 7919 % 1000) + "},";
  payload.resize(256);
  Batch batch;
  for (uint64_t n = 0; n < messages_total; n += 1000) {
    for (int i = 0; i < 1000; ++i) {
      const std::string digits = std::to_string((n + uint64_t(i)) * 2654435761u % 1000000007u);
      payload.replace(128, digits.size(), digits);
      (void)appender.append(batch, {.topic = "plant/line/4/temperature", .payload = payload, .qos = Qos{1}});
    }
    appender.flush(batch);
    EXPECT_TRUE(write(store, batch, true));
    batch.clear();
  }
  return appender.tail();
}

TEST(Backlog, AMillionMessagesCostNeitherMemoryNorTimeToStartNorDiskOnceDrained) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's own memory is several times what is measured here";
#endif
  TempFolder folder;
  auto store = open(folder.path());
  Phase in("enqueue");
  const QueueTail tail = enqueue(*store);
  in.end(store->disk_bytes());
  EXPECT_LT(rss_bytes(), 64 * mib);
  store.reset();

  Phase start("reopen");
  store = open(folder.path());
  EXPECT_LT(start.end(store->disk_bytes()), 1.0);

  Phase out("drain");
  QueueRemover remover(queue, {});
  std::vector<QueueRecord> window;
  Batch batch;
  uint64_t read = 0;
  uint64_t rss_max = 0;
  uint64_t reclaimed = 0;
  while (true) {
    window.clear();
    ASSERT_TRUE(store->read_queue(queue, remover.head().first, tail.next, {.messages_max = 500}, window));
    if (window.empty()) break;
    uint64_t bytes = 0;
    for (const auto& record : window) bytes += counted_bytes(*record.message);
    read += window.size();
    remover.remove_below(batch, Seq{window.back().seq.value + 1}, window.size(), bytes, true);
    remover.flush(batch);
    ASSERT_TRUE(write(*store, batch, false));
    batch.clear();
    if (remover.head().first.value - reclaimed >= 50'000) {
      reclaimed = remover.head().first.value;
      ASSERT_TRUE(store->reclaim(queue, remover.head().first));
      rss_max = std::max(rss_max, rss_bytes());
    }
  }
  ASSERT_TRUE(store->reclaim(queue, remover.head().first));
  out.end(store->disk_bytes());
  EXPECT_EQ(read, messages_total);
  EXPECT_LT(rss_max, 64 * mib);
  EXPECT_LT(store->disk_bytes(), 16 * mib);
  EXPECT_EQ(size_of(tail, remover.head()).messages, 0u);
}

}  // namespace
}  // namespace tidegate::store
