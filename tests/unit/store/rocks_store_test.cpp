#include "store/rocks_store.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmath>
#include <csignal>
#include <random>
#include <thread>

#include "store/committer.h"
#include "store/disk_space.h"
#include "store/memory_store.h"
#include "tests/unit/store/open_fixture.h"

namespace tidegate::store {
namespace {

TEST_F(OpenStore, MakesTheFolderAndTellsCleanStopsFromOthers) {
  start();
  EXPECT_TRUE(opened.created);
  EXPECT_TRUE(opened.clean);
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0750u);
  start();
  EXPECT_FALSE(opened.created);
  EXPECT_FALSE(opened.clean);
  ASSERT_TRUE(opened.store->mark_clean());
  start();
  EXPECT_TRUE(opened.clean);
  start();
  EXPECT_FALSE(opened.clean);
}

TEST_F(OpenStore, TheFormatVersionIsTheFirstRecord) {
  start();
  EXPECT_EQ(state(format_key()), encode_u32(format_version));
}

TEST_F(OpenStore, ASecondOwnerIsRefused) {
  start();
  const auto second = open_store({.path = path()});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::in_use);
}

TEST_F(OpenStore, ANewerFormatIsRefusedOrSetAsideAsItWas) {
  start();
  put_state(format_key(), encode_u32(format_version + 1));
  stop();
  const auto refused = open_store({.path = path()});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::newer_format);
  start(true);
  EXPECT_TRUE(std::filesystem::exists(opened.set_aside + "/CURRENT"));
  EXPECT_EQ(state(format_key()), encode_u32(format_version));
}

TEST_F(OpenStore, AFolderThatCannotBeMadeIsSaidInWords) {
  std::ofstream(folder.path() + "/data") << "a file";
  const auto result = open_store({.path = path() + "/deeper"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::io);
}

TEST_F(OpenStore, AnInterruptedFirstStartStartsAnew) {
  std::filesystem::create_directories(path() + "/db.new");
  std::ofstream(path() + "/db.new/MANIFEST-000001") << "half";
  start();
  EXPECT_TRUE(opened.created);
}

TEST_F(OpenStore, APowerCutBetweenTheTwoRenamesOfASalvageLosesNothing) {
  start();
  append(10);
  stop();
  std::filesystem::rename(database(), path() + "/db.new");
  start();
  EXPECT_EQ(count_readable(), 10u);
}

TEST_F(OpenStore, AgreesWithTheStoreInMemory) {
  start();
  MemoryStore model;
  std::mt19937 random(1);
  QueueAppender appender(queue, {});
  for (int round = 0; round < 300; ++round) {
    Batch batch;
    for (unsigned n = random() % 20; n > 0; --n) (void)appender.append(batch, {.topic = "t", .payload = "p"});
    for (unsigned n = random() % 5; n > 0; --n)
      batch.erase(Table::queue, QueueKey(queue, Seq{random() % appender.tail().next.value}).view());
    if (random() % 10 == 0) {
      const uint64_t first = random() % appender.tail().next.value;
      batch.erase_range(Table::queue, QueueKey(queue, Seq{first}).view(), QueueKey(queue, Seq{first + 30}).view());
    }
    batch.put(Table::state, "T" + std::to_string(random() % 50), std::to_string(round));
    appender.flush(batch);
    const Batch* const all[] = {&batch};
    ASSERT_TRUE(model.write(all, false));
    ASSERT_TRUE(write(batch, false));
    std::vector<QueueRecord> ours, theirs;
    static Seq from{1};
    if (random() % 4 == 0) from = Seq{1 + random() % appender.tail().next.value};
    const ReadLimit limit{.messages_max = 1 + random() % 50};
    ASSERT_TRUE(opened.store->read_queue(queue, from, appender.tail().next, limit, ours));
    ASSERT_TRUE(model.read_queue(queue, from, appender.tail().next, limit, theirs));
    ASSERT_EQ(ours.size(), theirs.size()) << round;
    for (size_t i = 0; i < ours.size(); ++i) ASSERT_EQ(ours[i].seq, theirs[i].seq);
    if (!ours.empty()) from = Seq{ours.back().seq.value + 1};  // goes on with the kept iterator
  }
  std::vector<std::string> ours, theirs;
  ASSERT_TRUE(opened.store->scan(
      "T", [&](auto k, auto v) { return ours.push_back(std::string(k) + "=" + std::string(v)), true; }));
  ASSERT_TRUE(
      model.scan("T", [&](auto k, auto v) { return theirs.push_back(std::string(k) + "=" + std::string(v)), true; }));
  EXPECT_EQ(ours, theirs);
}

TEST_F(OpenStore, ARecordErasedAheadOfAKeptIteratorIsNotShown) {
  start();
  append(10);
  std::vector<QueueRecord> out;
  ASSERT_TRUE(opened.store->read_queue(queue, Seq{1}, tail.next, {.messages_max = 3}, out));
  Batch batch;
  batch.erase(Table::queue, QueueKey(queue, Seq{5}).view());
  ASSERT_TRUE(write(batch));
  ASSERT_TRUE(opened.store->read_queue(queue, Seq{4}, tail.next, {.messages_max = 2}, out));
  EXPECT_EQ(out.back().seq, Seq{6});
}

TEST_F(OpenStore, QueuesDoNotSeeEachOther) {
  start();
  append(5);
  std::vector<QueueRecord> out;
  ASSERT_TRUE(opened.store->read_queue(QueueId{6}, Seq{1}, Seq{~0ull}, {}, out));
  ASSERT_TRUE(opened.store->read_queue(QueueId{8}, Seq{1}, Seq{~0ull}, {}, out));
  EXPECT_TRUE(out.empty());
}

TEST_F(OpenStore, AReclaimedQueueGoesOn) {
  start();
  append(5000);
  QueueRemover remover(queue, {});
  Batch batch;
  remover.remove_below(batch, tail.next, 5000, 0, true);
  remover.flush(batch);
  ASSERT_TRUE(write(batch));
  ASSERT_TRUE(opened.store->reclaim(queue, tail.next));
  EXPECT_EQ(count_readable(), 0u);
  append(10);
  start();
  EXPECT_EQ(count_readable(), 10u);
}

TEST_F(OpenStore, ATransientWriteFailureIsResumedAndTheSameSetApplied) {
  ::signal(SIGXFSZ, SIG_IGN);
  start();
  append(100);
  struct rlimit before {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const struct rlimit tight { 4096, before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  Batch batch;
  batch.put(Table::state, "key", "value");
  batch.put(Table::queue, QueueKey(QueueId{9}, Seq{1}).view(), payload(1));
  const Status failed = write(batch);
  const Status again = write(batch);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(failed);
  EXPECT_FALSE(again);
  const Status written = write(batch);
  ASSERT_TRUE(written) << written.error().context;
  start();
  EXPECT_TRUE(opened.set_aside.empty());
  EXPECT_EQ(state("key"), "value");
  EXPECT_EQ(count_readable(), 100u);
}

constexpr int report_fd = 9;

// The child of the next test: commits and reports each ticket's last place through a pipe, until it is killed. A process
// of its own and not just a fork: RocksDB's threads do not survive one.
TEST(CrashChild, CommitsUntilItIsKilled) {
  const char* path = std::getenv("TIDEGATE_CRASH_FOLDER");
  if (path == nullptr) GTEST_SKIP() << "only as a child";
  auto result = open_store({.path = path, .memory_bytes = 2u << 20});
  ASSERT_TRUE(result);
  constexpr QueueId queue{7};
  QueueTail stored;
  ASSERT_TRUE(result->store->scan(queue_tail_key(queue), [&](auto, auto value) {
    stored = decode_queue_tail(value).value_or(QueueTail{});
    return false;
  }));
  QueueAppender appender(queue, stored);
  Committer committer(*result->store, {});
  Batch batch;
  while (true) {
    for (int i = 0; i < 50; ++i)
      (void)appender.append(batch, {.topic = "t", .payload = test_payload(appender.tail().next.value)});
    appender.flush(batch);
    const uint64_t last = appender.tail().next.value - 1;
    ASSERT_TRUE(committer.wait(committer.submit(batch)));
    ASSERT_EQ(::write(report_fd, &last, sizeof last), ssize_t(sizeof last));
  }
}

// Starts the child with a pipe for its standard output.
pid_t start_child(const std::string& folder, int& output) {
  int pipes[2];
  if (::pipe(pipes) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("TIDEGATE_CRASH_FOLDER", folder.c_str(), 1);
    ::dup2(pipes[1], report_fd);
    ::close(pipes[0]);
    ::close(pipes[1]);
    ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
    ::execl("/proc/self/exe", "unit_store", "--gtest_filter=CrashChild.*", "--gtest_brief=1", nullptr);
    ::_exit(127);
  }
  ::close(pipes[1]);
  output = pipes[0];
  return child;
}

TEST_F(OpenStore, EveryTicketReportedAsCommittedSurvivesAKill) {  // invariant 1
  for (int round = 0; round < 3; ++round) {
    stop();
    int output = -1;
    const pid_t child = start_child(path(), output);
    ASSERT_GT(child, 0);
    uint64_t reported = 0;
    for (int i = 0; i < 200; ++i) ASSERT_EQ(::read(output, &reported, sizeof reported), ssize_t(sizeof reported));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    for (uint64_t more; ::read(output, &more, sizeof more) == ssize_t(sizeof more);) reported = more;
    ::close(output);
    start();
    EXPECT_FALSE(opened.clean);
    EXPECT_TRUE(opened.set_aside.empty());
    EXPECT_GE(reported, 200u * 50);
    EXPECT_LT(reported, 100'000'000u);
    EXPECT_GE(count_readable(), reported);
    EXPECT_EQ(count_readable(), stored_size().messages);
  }
}

// Needs a small file system of its own:
//   unshare -rm sh -c 'mount -t tmpfs -o size=24m none /mnt && TIDEGATE_FULL_DISK=/mnt unit_store --gtest_filter=FullDisk.*'
TEST(FullDisk, EndsPromisesNotServiceAndEverythingIsWrittenWhenSpaceReturns) {  // invariant 8
  const char* disk = std::getenv("TIDEGATE_FULL_DISK");
  if (disk == nullptr) GTEST_SKIP() << "TIDEGATE_FULL_DISK names no folder on a small file system";
  const std::string path = std::string(disk) + "/data";
  const std::string ballast = std::string(disk) + "/ballast";
  std::ofstream(ballast) << std::string(8 << 20, 'x');
  auto opened = open_store({.path = path, .memory_bytes = 2u << 20});
  ASSERT_TRUE(opened) << opened.error().context;
  uint64_t submitted = 0;
  {
    Committer::Options options;
    options.retry_after = Millis{20};
    Committer committer(*opened->store, options);
    QueueAppender appender(QueueId{7}, {});
    Batch batch;
    while (committer.health().state != Health::State::failing && submitted < 200'000) {
      for (int i = 0; i < 100; ++i) (void)appender.append(batch, {.topic = "t", .payload = test_payload(++submitted)});
      appender.flush(batch);
      (void)committer.submit(batch);
      while (committer.pending_bytes() > 200'000 && committer.health().state != Health::State::failing)
        std::this_thread::yield();
    }
    std::printf("failing after %lu messages: %s\n", static_cast<unsigned long>(submitted),
                committer.health().reason.c_str());
    std::vector<QueueRecord> out;
    EXPECT_TRUE(opened->store->read_queue(QueueId{7}, Seq{1}, Seq{100}, {}, out));  // reads go on
    EXPECT_EQ(out.size(), 99u);
    for (int tries = 0; tries < 10; ++tries) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::filesystem::remove(ballast);
    ASSERT_TRUE(committer.wait(Ticket{submitted / 100}));
    EXPECT_EQ(committer.health().state, Health::State::ok);
  }
  opened->store.reset();
  opened = open_store({.path = path, .memory_bytes = 2u << 20});
  ASSERT_TRUE(opened) << opened.error().context;
  EXPECT_TRUE(opened->set_aside.empty());
  std::vector<QueueRecord> out;
  EXPECT_TRUE(opened->store->read_queue(QueueId{7}, Seq{1}, Seq{~0ull}, {submitted + 1, ~size_t{0}}, out));
  EXPECT_EQ(out.size(), submitted);
}

TEST(DiskSpace, IsKnownForAFolderAndNotForNothing) {
  TempFolder folder;
  EXPECT_GT(free_disk_bytes(folder.path()).value_or(0), 0u);
  EXPECT_FALSE(free_disk_bytes(folder.path() + "/none"));
}

}  // namespace
}  // namespace tidegate::store
