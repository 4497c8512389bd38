#include "store/committer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/gated_store.h"

namespace tidegate::store {
namespace {

class GroupCommit : public ::testing::Test {
 protected:
  Ticket submit(std::string_view key, std::string_view value = "v") {
    Batch batch;
    batch.put(Table::state, key, value);
    return committer->submit(batch);
  }
  void start(Committer::Options options = {}) {
    options.retry_after = Millis{1};
    options.on_progress = [this] {
      std::lock_guard lock(mutex);
      ++progress;
      changed.notify_all();
    };
    committer = std::make_unique<Committer>(store, std::move(options));
  }
  template <class Condition>
  void await(Condition condition) {
    std::unique_lock lock(mutex);
    changed.wait(lock, condition);
  }
  [[nodiscard]] bool has(std::string_view key) const { return store.table(Table::state).contains(key); }

  std::mutex mutex;
  std::condition_variable changed;
  int progress = 0;
  GatedStore store;
  std::unique_ptr<Committer> committer;
};

TEST_F(GroupCommit, WhatArrivesDuringOneSyncIsTheNextWrite) {
  start();
  store.close();
  submit("first");
  store.await_entered(1);
  for (int i = 0; i < 50; ++i) submit("k" + std::to_string(i));
  store.let_one_pass();
  store.await_entered(2);
  EXPECT_EQ(store.last_batches(), 50u);
  store.open();
  ASSERT_TRUE(committer->wait(Ticket{51}));
  EXPECT_EQ(store.syncs(), 2u);
}

TEST_F(GroupCommit, ATicketIsCommittedOnlyAfterItsWriteReturned) {  // invariant 1
  start();
  store.close();
  const Ticket ticket = submit("a");
  store.await_entered(1);
  EXPECT_LT(committer->committed(), ticket);
  EXPECT_GT(committer->pending_bytes(), 0u);
  store.open();
  ASSERT_TRUE(committer->wait(ticket));
  EXPECT_TRUE(has("a"));
  EXPECT_EQ(committer->committed(), ticket);
  EXPECT_EQ(committer->pending_bytes(), 0u);
}

TEST_F(GroupCommit, AWaitEndsInTimeAndTheBatchIsWrittenAllTheSame) {
  store.close();
  start();
  const Ticket ticket = submit("a");
  const Status waited = committer->wait(ticket, Millis{1});
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, ErrorCode::timeout);
  store.open();
  ASSERT_TRUE(committer->wait(ticket));
  EXPECT_TRUE(has("a"));
}

TEST_F(GroupCommit, ProgressIsToldAfterTheTicketIsCommitted) {
  start();
  const Ticket ticket = submit("a");
  await([&] { return progress > 0; });
  EXPECT_EQ(committer->committed(), ticket);
}

TEST_F(GroupCommit, AFailedSetIsTriedAgainBeforeAnythingElse) {  // invariant 8
  store.close();
  store.record_writes();
  store.fail_next(3, ErrorCode::no_space);
  start();
  submit("key", "old");
  store.await_entered(1);
  submit("key", "new");
  store.open();
  ASSERT_TRUE(committer->wait(Ticket{2}));
  EXPECT_EQ(store.table(Table::state).at("key"), "new");
  EXPECT_EQ(store.after(1)->table(Table::state).at("key"), "old");
  EXPECT_EQ(committer->health().state, Health::State::ok);
}

TEST_F(GroupCommit, HealthSaysWhatFailsAndWhenItIsOver) {
  store.fail_next(1, ErrorCode::no_space);
  start();
  std::atomic<bool> failing{false};
  committer->add_listener([&] {
    if (committer->health().state != Health::State::failing) return;
    EXPECT_EQ(committer->health().reason, "No space left on device");
    failing = true;
  });
  ASSERT_TRUE(committer->wait(submit("a")));
  EXPECT_TRUE(failing);
  EXPECT_EQ(committer->health().state, Health::State::ok);
  EXPECT_TRUE(committer->health().reason.empty());
}

TEST_F(GroupCommit, AStopWritesWhatWasSubmitted) {
  start();
  store.close();
  submit("a");
  store.await_entered(1);
  submit("b");
  std::thread stop([&] { committer.reset(); });
  store.open();
  stop.join();
  EXPECT_TRUE(has("a"));
  EXPECT_TRUE(has("b"));
}

TEST_F(GroupCommit, AStopOnAFullDiskEndsAndTellsWhoWaits) {
  store.fail_next(1'000'000, ErrorCode::no_space);
  start();
  const Ticket ticket = submit("a");
  store.await_entered(1);
  std::atomic<bool> told{false};
  std::atomic<bool> waits{false};
  std::thread waiter([&] {
    waits = true;
    const Status status = committer->wait(ticket);
    EXPECT_FALSE(status);
    told = true;
  });
  while (!waits) std::this_thread::yield();
  committer->stop();
  waiter.join();
  EXPECT_TRUE(told);
  committer.reset();
  EXPECT_FALSE(has("a"));
}

TEST_F(GroupCommit, ManyThreadsLoseNothing) {
  start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([this, t] {
      Batch batch;
      Ticket last;
      for (int i = 0; i < 500; ++i) {
        batch.put(Table::state, std::to_string(t) + "/" + std::to_string(i), "v");
        last = committer->submit(batch);
        EXPECT_TRUE(batch.empty());
      }
      EXPECT_TRUE(committer->wait(last));
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(store.table(Table::state).size(), 2000u);
}

TEST_F(GroupCommit, OneWriteStaysBounded) {
  start();
  store.close();
  submit("first");
  store.await_entered(1);
  const std::string mebibyte(1 << 20, 'x');
  for (int i = 0; i < 10; ++i) submit("k" + std::to_string(i), mebibyte);
  store.let_one_pass();
  store.await_entered(2);
  EXPECT_EQ(store.last_batches(), 3u);  // with their keys four are beyond 4 MiB
  store.open();
  ASSERT_TRUE(committer->wait(Ticket{11}));
}

TEST_F(GroupCommit, IntervalWritesAtOnceAndSyncsLater) {
  Committer::Options options;
  options.durability = Durability::interval;
  options.sync_interval = Millis{5};
  start(options);
  ASSERT_TRUE(committer->wait(submit("a")));
  store.await_left(2);  // the sync of nothing
  EXPECT_EQ(store.syncs(), 1u);
  EXPECT_EQ(store.writes(), 2u);
}

TEST_F(GroupCommit, OsSyncsOnlyAtTheStop) {
  Committer::Options options;
  options.durability = Durability::os;
  start(options);
  ASSERT_TRUE(committer->wait(submit("a")));
  EXPECT_EQ(store.syncs(), 0u);
  committer.reset();
  EXPECT_EQ(store.syncs(), 1u);
}

TEST_F(GroupCommit, LowSpaceIsToldAndWritesGoOn) {
  std::atomic<uint64_t> free{1000};
  Committer::Options options;
  options.space_check = Millis{1};
  options.min_free = 100;
  options.free_bytes = [&] { return free.load(); };
  start(options);
  EXPECT_EQ(committer->health().state, Health::State::ok);
  free = 50;
  await([&] { return committer->health().state == Health::State::low_space; });
  EXPECT_EQ(committer->health().free_bytes, 50u);
  ASSERT_TRUE(committer->wait(submit("removal")));
  free = 100;
  await([&] { return committer->health().state == Health::State::ok; });
}

TEST_F(GroupCommit, AnEmptyBatchIsAPlaceInTheOrderAndCostsNoWrite) {
  start();
  Batch empty;
  const Ticket ticket = committer->submit(empty);
  ASSERT_TRUE(committer->wait(ticket));
  EXPECT_EQ(store.entered(), 0u);
}

}  // namespace
}  // namespace tidegate::store
