#include "bridge/uplink.h"

#include <gtest/gtest.h>

#include "store/keys.h"
#include "store/memory_store.h"

namespace tidegate::bridge {
namespace {

const QueueId queue{7};

// A queue in a memory store, an uplink over it, and the few verbs that the driver has.
class UplinkTest : public ::testing::Test {
 protected:
  void append(int count, size_t payload = 10, WallTime expires = WallTime::never()) {
    store::Batch batch;
    for (int i = 0; i < count; ++i) {
      Message m;
      m.topic = "t/" + std::to_string(appender_.tail().next.value);
      m.payload.assign(payload, 'x');
      m.qos = Qos::exactly_once;
      m.retain = true;
      m.expires = expires;
      m.received = WallTime{Millis{static_cast<int64_t>(appender_.tail().next.value)}};
      appender_.append(batch, store::view_of(m));
    }
    appender_.flush(batch);
    write(batch);
    if (uplink_) uplink_->tail(appender_.tail());
  }
  void erase(uint64_t seq) {
    store::Batch batch;
    batch.erase(store::Table::queue, store::QueueKey(queue, Seq{seq}).view());
    write(batch);
  }
  void write(const store::Batch& batch) {
    const store::Batch* one[] = {&batch};
    ASSERT_TRUE(store_.write(one, true));
  }
  Uplink& start(QueueLimits limits = {}, store::QueueHead head = {}) {
    uplink_ = std::make_unique<Uplink>(queue, head, appender_.tail(), limits);
    return *uplink_;
  }
  void connect(uint32_t window = 100) {
    RemoteLimits limits;
    limits.window = window;
    uplink_->connected(limits);
  }
  // As the driver's pump: read what is wanted, enforce limits, send what may be sent.
  std::vector<uint64_t> pump() {
    std::vector<uint64_t> sent;
    for (bool again = true; again;) {
      again = false;
      if (auto request = uplink_->next_read()) {
        std::vector<store::QueueRecord> found;
        EXPECT_TRUE(store_.read_queue(queue, request->from, request->end, request->limit, found));
        uplink_->records(*request, found);
        again = true;
      }
      store::Batch batch;
      uplink_->enforce_limits(batch);
      write(batch);
      while (auto send = uplink_->next_send(now_)) {
        sent.push_back(send->seq.value);
        last_ = *send;
      }
    }
    return sent;
  }
  void acknowledge(std::initializer_list<uint64_t> seqs) {
    for (uint64_t seq : seqs) EXPECT_TRUE(uplink_->acknowledged(Seq{seq}, removed_)) << seq;
  }
  void remove() {
    store::Batch batch;
    uplink_->remove(batch);
    write(batch);
  }
  size_t stored() const { return store_.table(store::Table::queue).size(); }
  static std::vector<uint64_t> range(uint64_t first, uint64_t last) {
    std::vector<uint64_t> all;
    for (; first <= last; ++first) all.push_back(first);
    return all;
  }

  store::MemoryStore store_;
  store::QueueAppender appender_{queue, {}};
  std::unique_ptr<Uplink> uplink_;
  Now now_{Instant{Millis{1000}}, WallTime{Millis{1'000'000}}};
  store::Batch removed_;  // erasures of QoS 2
  Uplink::Send last_;
};

TEST_F(UplinkTest, SendsInOrderUpToTheWindowAndGoesOnWithAcknowledgements) {
  append(10);
  start();
  EXPECT_TRUE(pump().empty()) << "not connected";
  connect(4);
  EXPECT_EQ(pump(), range(1, 4));
  EXPECT_TRUE(pump().empty());
  acknowledge({1, 2});
  EXPECT_EQ(pump(), range(5, 6));
  EXPECT_EQ(uplink_->in_flight(), 4u);
}

TEST_F(UplinkTest, TheHeadMovesOverAContiguousRunOnly) {
  append(5);
  start();
  connect();
  pump();
  acknowledge({2, 3});
  remove();
  EXPECT_EQ(uplink_->head().first, Seq{1});
  EXPECT_EQ(stored(), 5u);
  acknowledge({1});
  remove();
  EXPECT_EQ(uplink_->head().first, Seq{4});
  EXPECT_EQ(uplink_->head().messages_out, 3u);
  EXPECT_EQ(stored(), 2u);
  EXPECT_EQ(uplink_->size().messages, 2u);
}

TEST_F(UplinkTest, ALossSendsAgainFromTheOldestUnacknowledged) {
  append(6);
  start();
  connect(4);
  EXPECT_EQ(pump(), range(1, 4));
  acknowledge({1, 3});
  uplink_->lost();
  EXPECT_EQ(uplink_->in_flight(), 0u);
  connect(4);
  EXPECT_EQ(pump(), (std::vector<uint64_t>{2, 4, 5, 6}));
  EXPECT_EQ(uplink_->counters().possible_duplicates, 2u);
}

TEST_F(UplinkTest, AnAnswerOfAFormerConnectionChangesNothing) {
  append(2);
  start();
  connect();
  pump();
  uplink_->lost();
  EXPECT_FALSE(uplink_->acknowledged(Seq{1}, removed_));
  EXPECT_FALSE(uplink_->acknowledged(Seq{99}, removed_));
  EXPECT_EQ(uplink_->counters().delivered, 0u);
}

TEST_F(UplinkTest, ARestartSendsWhatWasNotRemoved) {
  append(5);
  start();
  connect();
  pump();
  acknowledge({1, 2});
  remove();
  store::QueueHead head = uplink_->head();
  start({}, head);
  connect();
  EXPECT_EQ(pump(), range(3, 5));
}

TEST_F(UplinkTest, DropsTheOldestWhenFullWhileDisconnected) {
  append(10);
  start({.max_messages = 4});
  pump();
  remove();
  EXPECT_EQ(uplink_->size().messages, 4u);
  EXPECT_EQ(uplink_->counters().queue_full, 6u);
  EXPECT_EQ(stored(), 4u);
  connect();
  EXPECT_EQ(pump(), range(7, 10));
}

TEST_F(UplinkTest, DropsTheOldestByBytes) {
  append(10, 1000);
  start({.max_bytes = 3500});
  pump();
  EXPECT_EQ(uplink_->size().messages, 3u);
}

TEST_F(UplinkTest, NeverDropsWhatIsInFlight) {
  append(3);
  start({.max_messages = 4});
  connect(3);
  EXPECT_EQ(pump(), range(1, 3));
  append(5);  // 4..8; room for one beside the three in flight
  pump();
  remove();
  EXPECT_EQ(uplink_->counters().queue_full, 4u);
  EXPECT_EQ(uplink_->size().messages, 4u);
  EXPECT_EQ(stored(), 4u);
  acknowledge({1, 2, 3});
  EXPECT_EQ(pump(), (std::vector<uint64_t>{8}));
  acknowledge({8});
  remove();
  EXPECT_EQ(uplink_->size().messages, 0u);
  EXPECT_EQ(uplink_->size().bytes, 0u);
  EXPECT_EQ(uplink_->head().messages_out, 8u);
  EXPECT_EQ(stored(), 0u);
}

TEST_F(UplinkTest, RaisesTheAlarmAboveItsShareOfALimit) {
  append(8);
  start({.max_messages = 10});
  EXPECT_FALSE(uplink_->alarm());
  append(1);
  EXPECT_TRUE(uplink_->alarm());
}

TEST_F(UplinkTest, DropsAndCountsWhatExpired) {
  append(1, 10, now_.wall);
  append(1, 10, now_.wall + Millis{1});
  start();
  connect();
  EXPECT_EQ(pump(), range(2, 2));
  EXPECT_EQ(uplink_->counters().expired, 1u);
  remove();
  EXPECT_EQ(uplink_->head().first, Seq{2});
}

TEST_F(UplinkTest, LowersToWhatTheRemoteTakes) {
  append(1);
  append(1, 5000);
  start();
  RemoteLimits limits;
  limits.retain_available = false;
  limits.max_packet_size = 1000;
  uplink_->connected(limits);
  EXPECT_EQ(pump(), range(1, 1));
  EXPECT_EQ(last_.qos, Qos::at_least_once);
  EXPECT_FALSE(last_.retain);
  EXPECT_EQ(uplink_->counters().too_large, 1u);
}

TEST_F(UplinkTest, ARefusedMessageIsCountedAndTheOthersFlow) {
  append(3);
  start();
  connect();
  pump();
  EXPECT_TRUE(uplink_->rejected(Seq{1}, 0x90, now_));
  acknowledge({2, 3});
  remove();
  EXPECT_EQ(uplink_->counters().rejected, 1u);
  EXPECT_EQ(uplink_->counters().delivered, 2u);
  EXPECT_EQ(uplink_->head().first, Seq{4});
}

TEST_F(UplinkTest, AQuotaIsWaitedForNotDropped) {
  append(2);
  start();
  connect(1);
  pump();
  EXPECT_TRUE(uplink_->rejected(Seq{1}, 0x97, now_));
  EXPECT_TRUE(pump().empty());
  EXPECT_GT(uplink_->paused_until(), now_.mono);
  now_.mono = uplink_->paused_until();
  EXPECT_EQ(pump(), range(1, 1));
  EXPECT_EQ(uplink_->counters().rejected, 0u);
}

TEST_F(UplinkTest, WhatTheLinkDidNotTakeIsStillNext) {
  append(2);
  start();
  connect(1);
  EXPECT_EQ(pump(), range(1, 1));
  uplink_->send_failed(Seq{1});
  EXPECT_EQ(pump(), range(1, 1));
}

TEST_F(UplinkTest, HolesAndUnreadableRecordsDoNotStopIt) {
  append(6);
  erase(1);
  erase(3);
  erase(6);
  start();
  connect();
  EXPECT_EQ(pump(), (std::vector<uint64_t>{2, 4, 5}));
  acknowledge({2, 4, 5});
  remove();
  EXPECT_EQ(uplink_->head().first, Seq{7});
  EXPECT_EQ(uplink_->size().messages, 0u);
  EXPECT_EQ(uplink_->counters().unreadable, 3u);
  append(1);
  EXPECT_EQ(uplink_->size().messages, 1u);
  EXPECT_EQ(pump(), range(7, 7));
}

TEST_F(UplinkTest, HoldsABoundedPieceOfALongBacklogAndLeavesErasingToReclaim) {
  append(40'000, 1000);
  start();
  connect(100);
  size_t delivered = 0;
  std::optional<Seq> reclaim;
  while (delivered < 40'000) {
    auto sent = pump();
    ASSERT_FALSE(sent.empty());
    for (uint64_t seq : sent) ASSERT_TRUE(uplink_->acknowledged(Seq{seq}, removed_));
    delivered += sent.size();
    remove();
    if (auto end = uplink_->begin_reclaim()) {
      ASSERT_TRUE(store_.reclaim(queue, *end));
      EXPECT_TRUE(!reclaim || *reclaim < *end);
      reclaim = end;
    }
  }
  ASSERT_TRUE(reclaim);
  EXPECT_EQ(*reclaim, Seq{40'001}) << "once more when the queue is empty";
  EXPECT_EQ(stored(), 0u);
  EXPECT_EQ(uplink_->size().messages, 0u);
}

TEST_F(UplinkTest, ShowsTheAgeOfTheOldestWithoutAConnection) {
  start();
  EXPECT_EQ(uplink_->oldest(), WallTime::never());
  append(3);
  pump();
  EXPECT_EQ(uplink_->oldest(), WallTime{Millis{1}});
}

TEST_F(UplinkTest, SurvivesARandomWalkWithoutLossOrDisorder) {
  uint64_t state = 12345;
  auto random = [&](uint64_t n) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (state >> 33) % n;
  };
  start();
  bool connected = false;
  std::vector<uint64_t> in_flight, delivered;
  for (int step = 0; step < 20'000; ++step) {
    const uint64_t dice = random(6);
    switch (dice) {
      case 0: append(static_cast<int>(random(5))); break;
      case 1:
        if (!connected) connect(static_cast<uint32_t>(1 + random(20)));
        connected = true;
        break;
      case 2:
        if (random(10) == 0) {
          uplink_->lost();
          connected = false;
          in_flight.clear();
        }
        break;
      case 3: remove(); break;
      default: break;
    }
    auto sent = pump();
    for (size_t i = 1; i < sent.size(); ++i) ASSERT_LT(sent[i - 1], sent[i]);
    in_flight.insert(in_flight.end(), sent.begin(), sent.end());
    if (!in_flight.empty() && random(2) == 0) {
      size_t at = random(in_flight.size());
      ASSERT_TRUE(uplink_->acknowledged(Seq{in_flight[at]}, removed_));
      delivered.push_back(in_flight[at]);
      in_flight.erase(in_flight.begin() + static_cast<long>(at));
    }
  }
  if (!connected) connect(50);
  while (uplink_->size().messages > 0) {
    auto sent = pump();
    in_flight.insert(in_flight.end(), sent.begin(), sent.end());
    for (uint64_t seq : in_flight) {
      ASSERT_TRUE(uplink_->acknowledged(Seq{seq}, removed_));
      delivered.push_back(seq);
    }
    in_flight.clear();
    remove();
  }
  std::sort(delivered.begin(), delivered.end());
  EXPECT_EQ(delivered, range(1, appender_.tail().next.value - 1)) << "each delivered once, none twice";
  EXPECT_EQ(stored(), 0u);
}

}  // namespace
}  // namespace tidegate::bridge
