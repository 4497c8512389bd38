// How fast a bridge carries, on the real store and a real broker. Not run by default:
//   scripted_bridge --gtest_also_run_disabled_tests --gtest_filter='*Throughput*'
// What matters is the ratio of the two rates: a drain is to reach 80 % of what live traffic reaches.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdio>
#include <fstream>

#include "store/open_store.h"
#include "tests/scripted/bridge/fake_peer.h"
#include "tests/scripted/bridge/mosquitto.h"
#include "tests/scripted/bridge/rig.h"

namespace tidegate::bridge {
namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double cpu_seconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

size_t resident_mib() {
  size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * 4096 >> 20;
}

size_t count_of(const char* name, size_t otherwise) {
  const char* value = std::getenv(name);
  return value ? std::strtoull(value, nullptr, 10) : otherwise;
}

class DISABLED_Throughput : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Mosquitto::installed()) GTEST_SKIP();
    remote_ = std::make_unique<Mosquitto>();
    store::OpenOptions open;
    open.path = remote_->folder() + "/store";
    auto opened = store::open_store(open);
    ASSERT_TRUE(opened) << opened.error().context;
    store_ = std::move(opened->store);
    rig_ = std::make_unique<Rig>(1, store_.get());
  }
  void TearDown() override {
    rig_.reset();
    store_.reset();
  }
  void report(const char* what, size_t messages, double seconds, double cpu) {
    std::printf("%s: %zu messages in %.1f s = %.0f msg/s, %.1f us CPU each, %zu MiB resident, %.0f MiB on disk\n", what,
                messages, seconds, static_cast<double>(messages) / seconds, cpu * 1e6 / static_cast<double>(messages),
                resident_mib(), static_cast<double>(store_->disk_bytes()) / (1 << 20));
  }
  bool empty() const {
    return rig_->wait([](const BridgeStatus& s) { return s.queue_messages == 0; }, std::chrono::seconds(600));
  }

  std::unique_ptr<Mosquitto> remote_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Rig> rig_;
};

TEST_F(DISABLED_Throughput, LiveAndDrain) {
  const size_t live = count_of("TG_LIVE", 200'000), backlog = count_of("TG_BACKLOG", 1'000'000);
  rig_->start(Rig::options(remote_->port()));
  ASSERT_TRUE(rig_->wait_for(LinkState::connected));
  auto begin = std::chrono::steady_clock::now();
  double cpu = cpu_seconds();
  for (size_t sent = 0; sent < live; sent += 100) {
    rig_->append(100, 256);
    // Live: what is appended is nearly at once in flight.
    rig_->wait([](const BridgeStatus& s) { return s.queue_messages < 400; });
  }
  ASSERT_TRUE(empty());
  report("live ", live, seconds_since(begin), cpu_seconds() - cpu);
  rig_->stop();

  for (size_t sent = 0; sent < backlog; sent += 5000) rig_->append(5000, 256);
  begin = std::chrono::steady_clock::now();
  cpu = cpu_seconds();
  rig_->start(Rig::options(remote_->port()));
  ASSERT_TRUE(empty());
  report("drain", backlog, seconds_since(begin), cpu_seconds() - cpu);
  rig_->stop();
  report("after", 1, 1, 0);

  rig_->start(Rig::options(remote_->port()));
  ASSERT_TRUE(rig_->wait_for(LinkState::connected));
  cpu = cpu_seconds();
  std::this_thread::sleep_for(std::chrono::seconds(5));
  std::printf("idle : %.2f %% CPU of one core\n", (cpu_seconds() - cpu) / 5 * 100);
}

TEST(DISABLED_Memory, AfterManyLossesInTheMiddleOfAWindow) {
  FakePeer peer({.close_after_publishes = 150});
  Rig rig;
  rig.start(Rig::options(peer.port()));
  for (int round = 0; round < 8; ++round) {
    rig.append(400, 20'000);
    ASSERT_TRUE(rig.drained());
    peer.forget();
    std::printf("%zu records left, ", rig.memory().table(store::Table::queue).size());
    EXPECT_TRUE(peer.wait([&] { return rig.memory().table(store::Table::queue).empty(); }));
    const struct mallinfo2 heap = mallinfo2();
    std::printf("%zu connections, %zu KiB in use\n", peer.accepts(), (heap.uordblks + heap.hblkhd) >> 10);
  }
}

}  // namespace
}  // namespace tidegate::bridge
