#include "store/queue.h"

#include <gtest/gtest.h>

#include "store/keys.h"
#include "store/memory_store.h"

namespace tidegate::store {
namespace {

constexpr QueueId queue{3};

class Queue : public ::testing::Test {
 protected:
  Seq append(std::string_view payload) { return appender.append(batch, {.topic = "t", .payload = payload}); }
  void append_many(size_t n) {
    while (n-- > 0) append("x");
  }
  void commit() {
    appender.flush(batch);
    remover.flush(batch);
    const Batch* const all[] = {&batch};
    ASSERT_TRUE(store.write(all, true));
    batch.clear();
  }
  std::vector<QueueRecord> read(ReadLimit limit = {.messages_max = 10'000}) {
    std::vector<QueueRecord> out;
    EXPECT_TRUE(store.read_queue(queue, remover.head().first, appender.tail().next, limit, out));
    return out;
  }
  [[nodiscard]] uint64_t waiting() const { return size_of(appender.tail(), remover.head()).messages; }
  [[nodiscard]] size_t count(Batch::Change::Kind kind) const {
    size_t n = 0;
    Batch::Change change;
    for (size_t at = 0; batch.next(at, change);) n += change.kind == kind;
    return n;
  }

  MemoryStore store;
  Batch batch;
  QueueAppender appender{queue, {}};
  QueueRemover remover{queue, {}};
};

TEST_F(Queue, GivesBackWhatWasAppendedInOrder) {
  EXPECT_EQ(append("a"), Seq{1});
  EXPECT_EQ(append("b"), Seq{2});
  commit();
  const auto records = read();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].message->payload, "a");
  EXPECT_EQ(records[1].seq, Seq{2});
  EXPECT_EQ(size_of(appender.tail(), remover.head()).bytes, 2 * (1 + 1 + 32u));
}

TEST_F(Queue, CountsStayTrueWithRemovalsInAndOutOfTurn) {
  append_many(5);
  commit();
  remover.remove(batch, Seq{3}, 34);
  EXPECT_EQ(remover.head().first, Seq{1});
  remover.remove(batch, Seq{1}, 34);
  EXPECT_EQ(remover.head().first, Seq{2});
  commit();
  EXPECT_EQ(waiting(), 3u);
  remover.remove_below(batch, Seq{5}, 2, 68, false);
  commit();
  EXPECT_EQ(waiting(), 1u);
  ASSERT_EQ(read().size(), 1u);
  EXPECT_EQ(read()[0].seq, Seq{5});
  EXPECT_EQ(size_of(appender.tail(), remover.head()).bytes, 34u);
}

TEST_F(Queue, FewRemovalsAreSingleErasesAndManyAreOneRange) {
  append_many(3000);
  commit();
  remover.remove_below(batch, Seq{1001}, 1000, 34'000, false);
  EXPECT_EQ(count(Batch::Change::Kind::erase), 1000u);
  EXPECT_EQ(count(Batch::Change::Kind::erase_range), 0u);
  commit();
  remover.remove_below(batch, Seq{2500}, 1499, 34 * 1499, false);
  EXPECT_EQ(count(Batch::Change::Kind::erase), 0u);
  EXPECT_EQ(count(Batch::Change::Kind::erase_range), 1u);
  commit();
  EXPECT_EQ(read().size(), 501u);
}

TEST_F(Queue, WithKeptRecordsOnlyTheMarkMovesUntilTheSpaceIsReclaimed) {
  append_many(10);
  commit();
  const uint64_t full = store.disk_bytes();
  remover.remove_below(batch, Seq{11}, 10, 340, true);
  commit();
  EXPECT_EQ(waiting(), 0u);
  EXPECT_TRUE(read().empty());
  EXPECT_GE(store.disk_bytes(), full);
  ASSERT_TRUE(store.reclaim(queue, remover.head().first));
  EXPECT_TRUE(store.table(Table::queue).empty());
}

TEST_F(Queue, MarksAreWrittenOnlyWhenTheyChanged) {
  append("a");
  commit();
  appender.flush(batch);
  remover.flush(batch);
  EXPECT_TRUE(batch.empty());
  remover.advance(Seq{1});
  remover.flush(batch);
  EXPECT_TRUE(batch.empty());
  remover.advance(Seq{2});
  remover.flush(batch);
  EXPECT_EQ(batch.count(), 1u);
}

TEST_F(Queue, ErasingAQueueLeavesItsNeighboursAlone) {
  append_many(3);
  QueueAppender before(QueueId{2}, {});
  QueueAppender behind(QueueId{4}, {});
  (void)before.append(batch, {.topic = "t"});
  (void)behind.append(batch, {.topic = "t"});
  commit();
  erase_queue(batch, queue);
  const Batch* const all[] = {&batch};
  ASSERT_TRUE(store.write(all, true));
  EXPECT_EQ(store.table(Table::queue).size(), 2u);
  EXPECT_TRUE(store.table(Table::state).empty());
}

TEST_F(Queue, AWindowEndsAtItsLimitsWithAtLeastOneRecord) {
  append_many(5);
  commit();
  EXPECT_EQ(read({.messages_max = 2}).size(), 2u);
  EXPECT_EQ(read({.messages_max = 100, .bytes_max = 1}).size(), 1u);
}

TEST_F(Queue, MarksOfASalvagedStoreNeverCountBelowNothing) {
  EXPECT_EQ(size_of(QueueTail{}, QueueHead{.first = Seq{9}, .messages_out = 8, .bytes_out = 8}).messages, 0u);
}

TEST_F(Queue, EveryPrefixOfCommittedBatchesIsAValidQueue) {  // invariant 7
  store.record_writes();
  for (int round = 0; round < 20; ++round) {
    append_many(3);
    if (round % 2 == 1) remover.remove_below(batch, Seq{remover.head().first.value + 4}, 4, 4 * 34, round % 4 == 1);
    commit();
  }
  for (size_t n = 0; n <= store.writes(); ++n) {
    auto then = store.after(n);
    const auto state = then->table(Table::state);
    const auto tail = state.find(queue_tail_key(queue));
    const auto head = state.find(queue_head_key(queue));
    const QueueTail t = tail == state.end() ? QueueTail{} : decode_queue_tail(tail->second).value();
    const QueueHead h = head == state.end() ? QueueHead{} : decode_queue_head(head->second).value();
    std::vector<QueueRecord> out;
    ASSERT_TRUE(then->read_queue(queue, h.first, t.next, {.messages_max = 1000}, out));
    EXPECT_EQ(out.size(), size_of(t, h).messages) << n;
  }
}

TEST(Batch, AppliedTwiceEqualsOnce) {  // invariant 8
  MemoryStore store;
  Batch batch;
  batch.put(Table::state, "a", "1");
  batch.put(Table::state, "b", "2");
  batch.erase(Table::state, "a");
  batch.erase_range(Table::queue, "x", "y");
  const Batch* const all[] = {&batch};
  ASSERT_TRUE(store.write(all, true));
  const auto once = store.table(Table::state);
  ASSERT_TRUE(store.write(all, true));
  EXPECT_EQ(store.table(Table::state), once);
}

TEST(Batch, ShowsItsChangesInOrderAndKeepsItsMemory) {
  Batch batch;
  batch.put(Table::queue, "k", "value");
  Batch other;
  other.erase(Table::state, std::string_view("\0z", 2));
  batch.append(other);
  Batch::Change change;
  size_t at = 0;
  ASSERT_TRUE(batch.next(at, change));
  EXPECT_EQ(change.table, Table::queue);
  EXPECT_EQ(change.value, "value");
  ASSERT_TRUE(batch.next(at, change));
  EXPECT_EQ(change.kind, Batch::Change::Kind::erase);
  EXPECT_EQ(change.key, std::string_view("\0z", 2));
  EXPECT_FALSE(batch.next(at, change));
  batch.clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.bytes(), 0u);
}

TEST(MemoryStore, AFailedWriteChangesNothingAndAPowerCutKeepsWhatWasSynced) {
  MemoryStore store;
  store.record_writes();
  Batch batch;
  batch.put(Table::state, "a", "1");
  const Batch* const all[] = {&batch};
  store.fail_next(1, ErrorCode::no_space);
  const auto failed = store.write(all, true);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::no_space);
  EXPECT_TRUE(store.table(Table::state).empty());
  ASSERT_TRUE(store.write(all, false));
  EXPECT_TRUE(store.after_power_cut()->table(Table::state).empty());
  ASSERT_TRUE(store.write({}, true));
  EXPECT_EQ(store.after_power_cut()->table(Table::state).size(), 1u);
}

}  // namespace
}  // namespace tidegate::store
