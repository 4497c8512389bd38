// Messages of sessions that outlive their connection: the queue on disk, reconnecting, crashing (MQTT 4.1, 4.4, 4.6).
#include <gtest/gtest.h>

#include "store/keys.h"
#include "tests/support/broker_harness.h"

namespace tidegate::test {
namespace {

using mqtt::PropertyId;

const ConnectOptions kept{.clean = false};

struct KeptSessionTest : testing::Test {
  Client& subscriber(const ConnectOptions& options = kept) {
    Client& client = h.client("s", options);
    client.subscribe("t", 2);
    EXPECT_EQ(client.got(), "suback #1 02");
    return client;
  }
  void publish(std::string_view payload, int qos, std::string_view properties = {}) {
    if (!publisher) publisher = &h.newcomer("p");
    if (!publisher->is_open()) publisher->connect({.version = v5});
    publisher->publish("t", payload, {.qos = qos, .id = ++next_id, .properties = std::string(properties)});
    if (qos == 2) publisher->pubrel(next_id);
    (void)publisher->got();
  }
  void window(uint32_t messages) {
    h.limits.inflight_messages_max = messages;
    h.apply_limits();
  }

  BrokerHarness h;
  Client* publisher = nullptr;
  uint16_t next_id = 0;
};

TEST_F(KeptSessionTest, EverySessionThatMatchesGetsTheMessage) {  // [MQTT-4.5.0-1]
  std::vector<Client*> here, away;
  for (const char* filter : {"t", "+", "#", "t/#"}) {
    for (bool clean : {true, false}) {
      here.push_back(&h.client(std::string(clean ? "clean" : "kept") + filter, {.clean = clean}));
      here.back()->subscribe(filter, 1);
      (void)here.back()->got();
    }
    away.push_back(&h.client(std::string("away") + filter, kept));
    away.back()->subscribe(filter, 2);
    away.back()->lose();
  }
  publish("x", 1);
  for (Client* c : here) EXPECT_EQ(c->got(), "publish t=x q1 #1") << c->id();
  h.crash();
  for (Client* c : away) {
    c->connect(kept);
    EXPECT_EQ(c->got(), "connack 0 present, publish t=x q1 #1") << c->id();
  }
}

TEST_F(KeptSessionTest, WaitsForItsClientInOrder) {  // [MQTT-4.6.0-5, 4.6.0-6]
  Client& s = subscriber();
  s.lose();
  publish("1", 1);
  publish("2", 2);
  publish("zero", 0);
  publish("3", 1);
  s.connect(kept);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=1 q1 #1, publish t=2 q2 #2, publish t=3 q1 #3");
  s.puback(1), s.puback(3), s.pubrec(2), s.pubcomp(2);
  EXPECT_EQ(h.records_on_disk(), 0u);
}

TEST_F(KeptSessionTest, SurvivesACrashInOrder) {
  subscriber().lose();
  for (const char* payload : {"1", "2", "3"}) publish(payload, 1);
  h.crash();
  EXPECT_EQ(h.restored().sessions, 1u);
  EXPECT_EQ(h.restored().session_messages, 3u);
  Client& s = h.newcomer("s");
  s.connect(kept);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=1 q1 #1, publish t=2 q1 #2, publish t=3 q1 #3");
}

TEST_F(KeptSessionTest, AfterAnOrderlyStopDupIsOnWhatWasSentAlone) {  // [MQTT-3.3.1-1, 4.3.2-2]
  window(2);
  Client& s = subscriber();
  for (const char* payload : {"1", "2", "3", "4"}) publish(payload, 1);
  s.puback(2);
  EXPECT_EQ(s.got(), "publish t=1 q1 #1, publish t=2 q1 #2, publish t=3 q1 #3");
  for (int stops = 0; stops < 2; ++stops) {
    h.turn([&] { h.broker().shut_down(); });
    h.crash();
  }
  window(10);
  s.connect(kept);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=1 q1 #1 dup, publish t=3 q1 #2 dup, publish t=4 q1 #3");
}

// After a crash nobody knows what was sent: any of what was there may have been, and what comes later was not.
TEST_F(KeptSessionTest, AfterACrashDupIsOnWhatMayHaveBeenSent) {  // [MQTT-3.3.1-1]
  ConnectOptions narrow{.version = v5, .clean = false, .properties = session_expiry(forever) + receive_maximum(2)};
  Client& s = subscriber(narrow);
  for (const char* payload : {"1", "2", "3", "4", "5"}) publish(payload, 1);
  s.puback(2);
  EXPECT_EQ(s.got(), "publish t=1 q1 #1, publish t=2 q1 #2, publish t=3 q1 #3");
  h.crash();
  publish("6", 1);
  s.connect({.version = v5, .clean = false, .properties = session_expiry(forever)});
  EXPECT_EQ(s.got(),
            "connack 0 present, publish t=1 q1 #1 dup, publish t=3 q1 #2 dup, publish t=4 q1 #3 dup, "
            "publish t=5 q1 #4 dup, publish t=6 q1 #5");
}

TEST_F(KeptSessionTest, WhatComesAfterACrashHasNoDupThoughTheGatewayStopsAgain) {  // [MQTT-4.3.2-2]
  Client& s = subscriber();
  publish("1", 1);
  (void)s.got();
  h.crash();
  publish("2", 1);
  h.crash();
  publish("3", 1);
  s.connect(kept);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=1 q1 #1 dup, publish t=2 q1 #2, publish t=3 q1 #3");
}

// What stands in the window need not stand side by side in the queue: behind an acknowledged message, DUP was missing.
TEST_F(KeptSessionTest, SendsAgainAfterACrashWithDupWhateverPlaceItHas) {  // [MQTT-3.3.1-1]
  window(2);
  Client& s = subscriber();
  for (const char* payload : {"1", "2", "3"}) publish(payload, 1);
  EXPECT_EQ(s.got(), "publish t=1 q1 #1, publish t=2 q1 #2");
  s.puback(2);
  EXPECT_EQ(s.got(), "publish t=3 q1 #3");
  h.crash();
  s.connect(kept);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=1 q1 #1 dup, publish t=3 q1 #2 dup");
}

TEST_F(KeptSessionTest, WhatWasNotCommittedWasNotAcknowledged) {
  Client& s = subscriber();
  h.client("p4");
  publish("kept", 1);
  h.hold_disk();
  publish("lost", 1);
  EXPECT_EQ(publisher->got(), "");
  h.crash();
  h.free_disk();
  s.connect(kept);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=kept q1 #1 dup");
}

// [MQTT-3.3.1-1, 4.3.2-3, 4.3.3-3, 4.3.3-5, 4.3.3-6, 4.4.0-1, 4.6.0-1]
TEST_F(KeptSessionTest, SendsAgainUnderTheOldIdsWithDupInOrder) {
  Client& s = subscriber();
  publish("1", 1);
  publish("2", 2);
  publish("3", 2);
  publish("4", 1);
  EXPECT_EQ(s.got(), "publish t=1 q1 #1, publish t=2 q2 #2, publish t=3 q2 #3, publish t=4 q1 #4");
  s.pubrec(2);
  s.lose();
  publish("5", 1);
  s.connect(kept);
  EXPECT_EQ(s.got(),
            "connack 0 present, pubrel #2, publish t=1 q1 #1 dup, publish t=3 q2 #3 dup, publish t=4 q1 #4 dup, "
            "publish t=5 q1 #5");
}

TEST_F(KeptSessionTest, Qos2KeepsItsIdsOverACrash) {
  Client& s = subscriber();
  publish("1", 2);
  publish("2", 2);
  s.pubrec(1);
  EXPECT_EQ(s.got(), "publish t=1 q2 #1, publish t=2 q2 #2, pubrel #1");
  h.crash();
  s.connect(kept);
  EXPECT_EQ(s.got(), "connack 0 present, pubrel #1, publish t=2 q2 #2 dup");
  s.pubcomp(1);
  publish("3", 2);
  EXPECT_EQ(s.got(), "publish t=3 q2 #3");
}

TEST_F(KeptSessionTest, Qos2NeverSentBeforeACrashHasNoDup) {
  Client& s = subscriber();
  s.lose();
  publish("1", 2);
  h.crash();
  s.connect(kept);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=1 q2 #1");
}

// The head of the queue passed over message 1, which was sent after 2 though it stands before it: 2 had its packet id
// from before the crash. A reconnect then never read message 1 again.
TEST_F(KeptSessionTest, LosesNothingWhenQos2WasInFlightBehindQos1AtACrash) {
  Client& s = subscriber();
  publish("1", 1);
  publish("2", 2);
  publish("3", 1);
  (void)s.got();
  h.crash();
  s.connect(kept);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=1 q1 #3 dup, publish t=2 q2 #2 dup, publish t=3 q1 #4 dup");
  s.puback(4);
  s.lose();
  s.connect(kept);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=1 q1 #3 dup, publish t=2 q2 #2 dup");
  h.crash();
  s.connect(kept);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=1 q1 #3 dup, publish t=2 q2 #2 dup");
}

TEST_F(KeptSessionTest, ASmallerWindowAfterReconnectIsKept) {
  Client& s = subscriber({.version = v5, .clean = false, .properties = session_expiry(forever)});
  for (const char* payload : {"1", "2", "3"}) publish(payload, 1);
  (void)s.got();
  s.lose();
  s.connect({.version = v5, .clean = false, .properties = session_expiry(forever) + receive_maximum(1)});
  EXPECT_EQ(s.got(), "connack 0 present, publish t=1 q1 #1 dup");
  s.puback(1);
  EXPECT_EQ(s.got(), "publish t=2 q1 #2 dup");
  s.puback(2);
  EXPECT_EQ(s.got(), "publish t=3 q1 #3 dup");
}

// A client may answer on its new connection what came on the old one, before we have sent it again.
TEST_F(KeptSessionTest, AnAnswerBeforeTheResendChangesNothing) {
  Client& s = subscriber({.version = v5, .clean = false, .properties = session_expiry(forever)});
  publish("1", 1);
  publish("2", 2);
  publish("3", 1);
  publish("4", 2);
  (void)s.got();
  s.lose();
  h.hold_reads();
  s.connect({.version = v5, .clean = false, .properties = session_expiry(forever) + receive_maximum(1)});
  s.puback(1), s.pubrec(2);  // nothing is read back yet
  h.free_reads();
  s.puback(3), s.pubrec(4);  // read back, and waiting behind the window
  EXPECT_EQ(s.got(), "connack 0 present, publish t=1 q1 #1 dup");
  s.puback(1);
  EXPECT_EQ(s.got(), "publish t=2 q2 #2 dup");
  s.pubrec(2), s.pubcomp(2);
  EXPECT_EQ(s.got(), "pubrel #2, publish t=3 q1 #3 dup");
  s.puback(3);
  s.pubrec(4), s.pubcomp(4);
  EXPECT_EQ(s.got(), "publish t=4 q2 #4 dup, pubrel #4");
  EXPECT_EQ(h.records_on_disk(), 0u);
}

// Message 2 is done, but its record is still on disk when the new connection reads the queue from message 1 on.
TEST_F(KeptSessionTest, DoesNotDeliverAgainWhatWasDoneInABatchOnItsWay) {
  Client& s = subscriber();
  publish("1", 1);
  publish("2", 2);
  publish("3", 2);
  (void)s.got();
  h.hold_disk();
  s.pubrec(2);  // in the released phase
  s.pubrec(3);
  h.commit_all();
  EXPECT_EQ(s.got(), "pubrel #2, pubrel #3");
  s.pubcomp(3);  // done
  s.lose();
  s.connect(kept);
  h.free_disk();
  EXPECT_EQ(s.got(), "connack 0 present, pubrel #2, publish t=1 q1 #1 dup");
}

TEST_F(KeptSessionTest, DoesNotReadRecordsWhoseRemovalIsOnItsWay) {
  Client& s = subscriber();
  for (const char* payload : {"1", "2", "3"}) publish(payload, 2);
  (void)s.got();
  h.hold_disk();
  s.pubrec(2);
  s.lose();
  s.connect(kept);
  h.commit_all();
  h.free_disk();
  EXPECT_EQ(s.got(), "connack 0 present, pubrel #2, publish t=1 q2 #1 dup, publish t=3 q2 #3 dup");
}

TEST_F(KeptSessionTest, ABacklogLongerThanTheWindowComesInOrder) {
  window(3);
  Client& s = subscriber();
  s.lose();
  for (int i = 1; i <= 50; ++i) publish(std::to_string(i), 1);
  s.connect(kept);
  std::string all = s.got();
  for (uint16_t i = 1; i <= 50; ++i) {
    if (i == 20) publish("51", 1);  // while the backlog still stands
    s.puback(i);
    all += ", " + s.got();
  }
  size_t at = 0;
  for (int i = 1; i <= 51; ++i) {
    at = all.find("t=" + std::to_string(i) + " q1 #" + std::to_string(i), at);
    ASSERT_NE(at, all.npos) << i << " in " << all;
  }
  s.puback(51);
  EXPECT_EQ(h.records_on_disk(), 0u);
}

// The records were not on disk when they were read, and were committed before the empty answer arrived: no later commit
// wakes the session.
TEST_F(KeptSessionTest, IsNotForgottenWhenACommitOvertakesAnEmptyRead) {
  window(1);
  Client& s = subscriber();
  publish("1", 1);
  h.hold_disk();
  h.hold_reads();
  for (int i = 2; i <= 20; ++i) publish(std::to_string(i), 1);
  for (uint16_t i = 1; i <= 2; ++i) s.puback(i);  // what waits in memory is sent; the rest is asked for
  ASSERT_EQ(h.out().reads.size(), 1u);
  FakeOutput::Read read = h.out().reads.front();
  h.out().reads.pop_front();
  h.commit_all();
  h.turn([&] { h.broker().records_read(read.queue, read.from, {}); });
  h.free_disk();
  h.free_reads();
  for (uint16_t i = 3; i <= 20; ++i) s.puback(i);
  EXPECT_NE(s.got().find("t=20"), std::string::npos);
}

// A failed read passes over nothing, and is tried again also if nothing is ever committed again.
TEST_F(KeptSessionTest, ReadsAgainAfterAReadThatFailed) {
  Client& s = subscriber();
  s.lose();
  publish("1", 1);
  h.hold_reads();
  s.connect(kept);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(h.out().reads.size(), 1u);
    QueueId queue = h.out().reads.front().queue;
    h.out().reads.clear();
    h.turn([&] { h.broker().read_failed(queue); });
    EXPECT_TRUE(h.out().reads.empty());
    h.advance(Seconds{1});
  }
  h.free_reads();
  EXPECT_EQ(s.got(), "connack 0 present, publish t=1 q1 #1");
}

// A read that finds nothing passes over what it asked for, and not over what was appended meanwhile.
TEST_F(KeptSessionTest, PassesOverUnreadableRecordsAlone) {
  subscriber().lose();
  publish("1", 1);
  publish("2", 1);
  store::Batch damage;
  for (uint64_t seq : {1, 2}) damage.put(store::Table::queue, store::QueueKey(QueueId{1}, Seq{seq}).view(), "junk");
  const store::Batch* all[] = {&damage};
  ASSERT_TRUE(h.store().write(all, true));
  h.hold_reads();
  Client& s = h.newcomer("s");
  s.connect(kept);
  publish("3", 1);
  h.free_reads();
  EXPECT_EQ(s.got(), "connack 0 present, publish t=3 q1 #1");
  s.puback(1);
  // The places of what was lost are given back to the limit.
  h.limits.queued_messages_max = 1;
  h.apply_limits();
  s.lose();
  s.connect(kept);
  publish("4", 1);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=4 q1 #2");
}

TEST_F(KeptSessionTest, WhatWasInFlightAndCannotBeReadIsDroppedFromDiskToo) {
  Client& s = subscriber();
  publish("1", 2);
  publish("2", 2);
  (void)s.got();
  s.lose();
  store::Batch damage;
  damage.put(store::Table::queue, store::QueueKey(QueueId{1}, Seq{1}).view(), "junk");
  const store::Batch* all[] = {&damage};
  ASSERT_TRUE(h.store().write(all, true));
  s.connect(kept);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=2 q2 #2 dup, pubrel #1");  // it may have come
  s.pubcomp(1);
  EXPECT_FALSE(h.store().table(store::Table::state).contains(store::inflight_key(QueueId{1}, 1)));
}

TEST_F(KeptSessionTest, AnAnswerToAReadOfAnEarlierConnectionIsOfNoUse) {
  window(1);
  Client& s = subscriber();
  for (int i = 1; i <= 30; ++i) publish(std::to_string(i), 1);
  h.hold_reads();
  s.puback(1), s.puback(2);  // asks for the rest
  (void)s.got();
  s.lose();
  s.connect(kept);
  EXPECT_EQ(h.out().reads.size(), 1u);
  h.free_reads();
  EXPECT_EQ(s.got(), "connack 0 present, publish t=3 q1 #3");
}

TEST_F(KeptSessionTest, AReadAnsweredAfterTheSessionEndedIsIgnored) {
  Client& s = subscriber();
  s.lose();
  publish("1", 1);
  h.hold_reads();
  s.connect(kept);
  s.lose();
  s.connect({});
  h.free_reads();
  EXPECT_EQ(s.got(), "connack 0");
  EXPECT_EQ(h.records_on_disk(), 0u);
}

TEST_F(KeptSessionTest, AFullQueueDropsTheNewestCounted) {
  h.limits.queued_messages_max = 2;
  h.apply_limits();
  Client& s = subscriber();
  s.lose();
  for (const char* payload : {"1", "2", "3"}) publish(payload, 1);
  EXPECT_EQ(h.counters().dropped_queue_full, 1u);
  s.connect(kept);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=1 q1 #1, publish t=2 q1 #2");
  s.puback(1);
  publish("4", 1);
  EXPECT_EQ(s.got(), "publish t=4 q1 #3");
}

struct SparedTest : KeptSessionTest {
  // In flight when its client comes back with another Maximum Packet Size.
  Client& spared(int qos) {
    Client& s = subscriber(any_size);
    publish(std::string(50, 'x'), qos);
    (void)s.got();
    s.lose();
    s.connect(small_alone);
    return s;
  }
  void nothing_is_left(Client& s) {
    EXPECT_EQ(h.records_on_disk(), 0u);
    s.lose();
    s.connect(any_size);
    EXPECT_EQ(s.got(), "connack 0 present");
  }
  const std::string session = session_expiry(forever) + receive_maximum(1);
  const ConnectOptions any_size{.version = v5, .clean = false, .properties = session};
  const ConnectOptions small_alone{
      .version = v5, .clean = false, .properties = session + prop(PropertyId::maximum_packet_size, 30u)};
};

TEST_F(SparedTest, WhatNoLongerFitsTheClientTakesNoRoom) {
  Client& s = spared(1);
  publish("small", 1);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=small q1 #2");
  s.puback(2);
  nothing_is_left(s);
}

// Its packet id was free at once, and after a crash the next one: a client that had got it took a new message for a repeat.
TEST_F(SparedTest, ThePacketIdOfQos2IsReleasedBeforeItIsUsedAgain) {  // [MQTT-4.3.3-1]
  Client& s = spared(2);
  publish("small", 2);
  EXPECT_EQ(s.got(), "connack 0 present, pubrel #1");
  h.crash();
  s.connect(small_alone);
  EXPECT_EQ(s.got(), "connack 0 present, pubrel #1");
  s.pubcomp(1);
  EXPECT_EQ(s.got(), "publish t=small q2 #2");
  s.pubrec(2), s.pubcomp(2);
  EXPECT_EQ(s.got(), "pubrel #2");
  nothing_is_left(s);
}

TEST_F(KeptSessionTest, SubscriptionIdentifiersStayWithTheMessageOnDisk) {
  ConnectOptions options{.version = v5, .clean = false, .properties = session_expiry(forever)};
  Client& s = h.client("s", options);
  s.subscribe("t", 1, {.subscription_id = 5});
  s.subscribe("#", 2, {.subscription_id = 300});
  s.lose();
  publish("x", 2);
  h.crash();
  s.connect(options);
  (void)s.connack();
  EXPECT_NE(s.got().find("publish t=x q2 #1 ids=300,5"), std::string::npos);
}

TEST_F(KeptSessionTest, MessageExpiryTellsTheRemainingTimeAlsoAfterARestart) {  // [MQTT-3.3.2-5, 3.3.2-6]
  ConnectOptions options{.version = v5, .clean = false, .properties = session_expiry(forever)};
  Client& s = subscriber(options);
  s.lose();
  publish("short", 2, message_expiry(10));
  publish("long", 1, message_expiry(100));
  h.crash();
  h.advance(Seconds{30});
  s.connect(options);
  EXPECT_EQ(s.got(), "connack 0 present, publish t=long q1 #1 expiry=70");
  EXPECT_EQ(h.counters().dropped_expired, 1u);
  s.puback(1);
  EXPECT_EQ(h.records_on_disk(), 0u);
}

TEST_F(KeptSessionTest, AQos2DeliveryToldToAnEndIsNotSentAgainAfterACrash) {
  Client& s = subscriber();
  publish("1", 2);
  s.pubrec(1);
  s.pubcomp(1);
  h.crash();
  (void)s.got();
  s.connect(kept);
  EXPECT_EQ(s.got(), "connack 0 present");
}

TEST_F(KeptSessionTest, TheReceiptOfAnIncomingQos2SurvivesACrash) {  // 4.3.3: exactly once
  h.client("l").subscribe("t", 2);
  Client& p = h.client("p5", kept);
  p.publish("t", "x", {.qos = 2, .id = 4});
  EXPECT_EQ(p.got(), "pubrec #4");
  h.crash();
  Client& s = h.client("s2");
  s.subscribe("t", 2);
  (void)s.got();
  p.connect(kept);
  p.publish("t", "x", {.qos = 2, .id = 4, .dup = true});
  p.pubrel(4);
  EXPECT_EQ(p.got(), "connack 0 present, pubrec #4, pubcomp #4");
  EXPECT_EQ(s.got(), "");
}

}  // namespace
}  // namespace tidegate::test
