// What is kept of QoS 2 exchanges: the disk is always as far as the wire may be.
#include "bridge/exchanges.h"

#include <gtest/gtest.h>

#include "store/memory_store.h"

namespace tidegate::bridge {
namespace {

const QueueId out{7}, inbox{8};

class ExchangesTest : public ::testing::Test {
 protected:
  // As after a crash: what the store has.
  ExchangeMarks on_disk() { return read_exchanges(store_, out, inbox).value(); }
  Exchanges& begin() {
    exchanges_ = std::make_unique<Exchanges>(out, inbox, on_disk(), committer_);
    exchanges_->connection_begins();
    return *exchanges_;
  }
  bool prepare(Exchanges& exchanges, std::vector<uint64_t> seqs) {
    std::vector<Seq> places(seqs.begin(), seqs.end());
    store::Batch batch;
    return exchanges.prepare(places, batch);
  }
  void publish(Exchanges& exchanges, PacketId id) {
    EXPECT_TRUE(exchanges.publish(id)) << id;
    exchanges.id_given(id);
  }
  void commit(store::Batch& batch) { ASSERT_TRUE(committer_.wait(committer_.submit(batch))); }

  store::MemoryStore store_;
  store::Committer committer_{store_, {}};
  std::unique_ptr<Exchanges> exchanges_;
};

using Up = std::vector<Exchange>;

TEST_F(ExchangesTest, IdsAreOnDiskBeforeTheyAreOnTheWire) {
  Exchanges& exchanges = begin();
  ASSERT_TRUE(prepare(exchanges, {11, 12, 13}));
  EXPECT_EQ(on_disk().up, (Up{{1, Seq{11}, false}, {2, Seq{12}, false}, {3, Seq{13}, false}}));
  for (PacketId id : {1, 2, 3}) publish(exchanges, id);
  EXPECT_FALSE(exchanges.publish(4)) << "nothing is prepared for it";
}

TEST_F(ExchangesTest, IdsInUseAreNotForeseen) {
  Exchanges& exchanges = begin();
  exchanges.hold(2);
  exchanges.hold(4);
  exchanges.id_given(1);
  ASSERT_TRUE(prepare(exchanges, {11, 12}));
  EXPECT_EQ(on_disk().up, (Up{{3, Seq{11}, false}, {5, Seq{12}, false}}));
  exchanges.let_go(4);
  exchanges.id_given(65535);
  ASSERT_TRUE(prepare(exchanges, {13, 14}));
  EXPECT_EQ(on_disk().up.back(), (Exchange{4, Seq{14}, false})) << "behind 65535 comes 1, and 2 and 3 are in use";
}

TEST_F(ExchangesTest, AnIdThatWasNotForeseenIsOnDiskAllTheSame) {
  Exchanges& exchanges = begin();
  ASSERT_TRUE(prepare(exchanges, {11, 12}));
  publish(exchanges, 2);  // the link passed 1 by: the first message has 2
  EXPECT_EQ(on_disk().up, (Up{{2, Seq{11}, false}, {3, Seq{12}, false}}));
  publish(exchanges, 3);
  EXPECT_EQ(exchanges.marks().up, on_disk().up);
}

TEST_F(ExchangesTest, APhaseIsOnDiskBeforePubrelIsSent) {
  Exchanges& exchanges = begin();
  ASSERT_TRUE(prepare(exchanges, {11, 12}));
  publish(exchanges, 1);
  publish(exchanges, 2);
  ASSERT_TRUE(exchanges.release(1));
  EXPECT_EQ(on_disk().up, (Up{{1, Seq{11}, true}, {2, Seq{12}, false}}));
  EXPECT_TRUE(exchanges.release(99)) << "an answer to nothing of ours";
}

TEST_F(ExchangesTest, WhatHasEndedIsErasedWithItsRecordAndItsIdNotUsedBefore) {
  Exchanges& exchanges = begin();
  ASSERT_TRUE(prepare(exchanges, {11}));
  publish(exchanges, 1);
  ASSERT_TRUE(exchanges.release(1));
  auto ended = exchanges.end(1);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->exchange, (Exchange{1, Seq{11}, true}));
  EXPECT_FALSE(ended->resumed);
  EXPECT_FALSE(exchanges.end(1));
  EXPECT_EQ(on_disk().up.size(), 1u) << "a crash now sends PUBREL again";
  exchanges.id_given(65535);
  ASSERT_TRUE(prepare(exchanges, {12}));
  EXPECT_FALSE(exchanges.publish(1)) << "a crash now would take the new message for the old one";
  store::Batch batch;
  exchanges.erase_ended(Seq{11}, batch);
  commit(batch);
  EXPECT_EQ(on_disk().up, (Up{{2, Seq{12}, false}}));
}

TEST_F(ExchangesTest, WhatIsUnderWayAfterACrashIsResumedFirst) {
  {
    Exchanges& exchanges = begin();
    ASSERT_TRUE(prepare(exchanges, {11, 12}));
    publish(exchanges, 1);
    ASSERT_TRUE(exchanges.release(1));
  }
  Exchanges& exchanges = begin();
  EXPECT_TRUE(exchanges.is_resuming());
  EXPECT_TRUE(exchanges.publish(2)) << "sent again";
  EXPECT_TRUE(exchanges.end(1)->resumed);
  EXPECT_TRUE(exchanges.is_resuming());
  EXPECT_TRUE(exchanges.end(2)->resumed);
  EXPECT_FALSE(exchanges.is_resuming());
}

TEST_F(ExchangesTest, AReceivedMessageIsKnownUntilItIsReleased) {
  {
    Exchanges& exchanges = begin();
    store::Batch batch;
    exchanges.receive(5, batch);
    commit(batch);
  }
  Exchanges& exchanges = begin();
  EXPECT_TRUE(exchanges.is_received(5));
  EXPECT_TRUE(exchanges.forget(5));
  EXPECT_FALSE(exchanges.is_received(5));
  EXPECT_TRUE(on_disk().down.empty()) << "the remote may use that id for another message now";
  EXPECT_TRUE(exchanges.forget(5));
}

TEST_F(ExchangesTest, ANewSessionKnowsNothing) {
  Exchanges& exchanges = begin();
  ASSERT_TRUE(prepare(exchanges, {11, 12}));
  publish(exchanges, 1);
  ASSERT_TRUE(exchanges.release(1));
  store::Batch batch;
  exchanges.receive(5, batch);
  const ExchangeMarks old = exchanges.clear(batch);
  EXPECT_EQ(old.up, (Up{{1, Seq{11}, true}, {2, Seq{12}, false}}));
  EXPECT_EQ(old.down, std::vector<PacketId>{5});
  commit(batch);
  EXPECT_TRUE(on_disk().up.empty());
  EXPECT_TRUE(on_disk().down.empty());
  EXPECT_FALSE(exchanges.is_resuming());
}

TEST_F(ExchangesTest, WithoutADiskNothingIsSent) {
  Exchanges& exchanges = begin();
  ASSERT_TRUE(prepare(exchanges, {11}));
  publish(exchanges, 1);
  committer_.stop();
  EXPECT_FALSE(exchanges.release(1));
  EXPECT_FALSE(prepare(exchanges, {12}));
  EXPECT_FALSE(exchanges.publish(2));
}

}  // namespace
}  // namespace tidegate::bridge
