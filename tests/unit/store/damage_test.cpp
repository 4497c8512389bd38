// A damaged store starts: what is bad is set aside and reported, the rest is served (invariant 7).
#include <tuple>

#include "store/log_reader.h"
#include "tests/unit/store/open_fixture.h"

namespace tidegate::store {
namespace {

class Damage : public OpenStore {
 protected:
  // 5000 messages in several tables and a log, and some state.
  void fill() {
    start();
    for (int i = 0; i < 500; ++i) put_no_sync("T" + std::to_string(1000 + i), payload(uint64_t(i)));
    append(5000);
    stop();
    ASSERT_FALSE(files(".sst").empty());
  }
  void put_no_sync(std::string_view key, std::string_view value) {
    Batch batch;
    batch.put(Table::state, key, value);
    ASSERT_TRUE(write(batch, false));
  }
  uint64_t retained() {
    uint64_t n = 0;
    EXPECT_TRUE(opened.store->scan("T", [&](auto, auto) { return ++n > 0; }));
    return n;
  }
  // Started, set aside and complete where it is said to be, everything counted, appendable, and fine at the next start.
  void expect_salvaged(uint64_t messages_min) {
    EXPECT_FALSE(opened.set_aside.empty());
    EXPECT_FALSE(files("", opened.set_aside).empty());
    const uint64_t readable = count_readable();
    EXPECT_GE(readable, messages_min);
    EXPECT_EQ(stored_size().messages, readable);
    EXPECT_GE(opened.salvaged, readable);
    tail = decode_queue_tail(state(queue_tail_key(queue))).value_or(QueueTail{});
    EXPECT_GE(tail.next.value, readable + 1);
    append(10);
    const std::string aside = opened.set_aside;
    start();
    EXPECT_TRUE(opened.set_aside.empty());
    EXPECT_EQ(count_readable(), readable + 10);
    EXPECT_TRUE(std::filesystem::exists(aside));
    EXPECT_FALSE(std::filesystem::exists(path() + "/db.work"));
  }
};

TEST_F(Damage, ATornLogTailIsNormalAfterAPowerCut) {
  fill();
  cut(files(".log").back(), 0.9);
  start();
  EXPECT_TRUE(opened.set_aside.empty());
  const uint64_t readable = count_readable();
  EXPECT_LT(readable, 5000u);
  EXPECT_EQ(stored_size().messages, readable);
}

TEST_F(Damage, DamageInTheMiddleOfTheLogLosesOnlyWhatItHit) {
  fill();
  const std::string log = largest(".log");
  flip(log, std::filesystem::file_size(log) / 2);
  start();
  EXPECT_GT(opened.unreadable, 0u);
  expect_salvaged(5000 - 300);
}

TEST_F(Damage, AZeroedPageInTheLogIsDamageToo) {
  fill();
  const std::string log = largest(".log");
  std::fstream stream(log, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(4096);
  stream << std::string(4096, '\0');
  stream.close();
  start();
  expect_salvaged(5000 - 400);
}

TEST_F(Damage, ACutTableLosesOnlyItself) {
  fill();
  while (files(".sst").size() < 3) {  // a compaction may have made one of them
    start();
    append(500);
    stop();
  }
  cut(largest(".sst"), 0.5);
  start();
  expect_salvaged(500);
  EXPECT_GT(retained(), 0u);
}

TEST_F(Damage, AMissingTableLosesOnlyItself) {
  fill();
  std::filesystem::remove(largest(".sst"));
  start();
  expect_salvaged(500);
}

TEST_F(Damage, AMissingCurrentFileLosesNothing) {
  fill();
  std::filesystem::remove(database() + "/CURRENT");
  start();
  expect_salvaged(5000);
  EXPECT_EQ(retained(), 500u);
}

TEST_F(Damage, ADamagedManifestLosesNothing) {
  fill();
  flip(largest("MANIFEST"), 20, 64);
  start();
  expect_salvaged(5000);
  EXPECT_EQ(retained(), 500u);
}

TEST_F(Damage, AnEmptyManifestLosesNothing) {
  fill();
  cut(largest("MANIFEST"), 0);
  start();
  expect_salvaged(5000);
}

TEST_F(Damage, AMissingManifestAndADamagedTableTogetherLoseOnlyTheDamagedBlock) {
  fill();
  std::filesystem::remove(largest("MANIFEST"));
  flip(largest(".sst"), 20'000);
  start();
  expect_salvaged(5000 - 100);
}

TEST_F(Damage, RubbishInEveryFileStillStarts) {
  fill();
  for (const auto& file : files("")) std::ofstream(file, std::ios::binary) << "rubbish rubbish rubbish";
  start();
  EXPECT_FALSE(opened.set_aside.empty());
  append(10);
  start();
  EXPECT_EQ(count_readable(), 10u);
}

TEST_F(Damage, AFlippedBlockFoundWhileReadingIsPassedAndCounted) {
  fill();
  flip(largest(".sst"), 20'000);
  start();
  const uint64_t readable = count_readable();
  EXPECT_LT(readable, 5000u);
  EXPECT_GT(readable, 5000u - 100);
  EXPECT_GE(opened.store->unreadable(), 5000 - readable);
}

// Two queues in every table, so that compactions must merge instead of just moving tables down.
TEST_F(Damage, AFlippedBlockFoundWhileCompactingIsHealedInUse) {
  start();
  QueueAppender other(QueueId{9}, {});
  const auto append_both = [&] {
    Batch batch;
    QueueAppender appender(queue, tail);
    for (int i = 0; i < 100; ++i) {
      (void)appender.append(batch, {.topic = "t", .payload = payload(appender.tail().next.value)});
      (void)other.append(batch, {.topic = "t", .payload = payload(other.tail().next.value)});
    }
    appender.flush(batch);
    other.flush(batch);
    tail = appender.tail();
    ASSERT_TRUE(write(batch, false));
  };
  const auto size = [](const std::string& file) { return std::filesystem::file_size(file); };
  while (files(".sst").size() < 2 || size(files(".sst").back()) < 100'000) append_both();
  flip(files(".sst").back(), 20'000);
  for (int i = 0; i < 500 && opened.store->set_aside().empty(); ++i) append_both();
  ASSERT_FALSE(opened.store->set_aside().empty());
  EXPECT_TRUE(std::filesystem::exists(opened.store->set_aside() + "/CURRENT"));
  // What the log still held is not even lost.
  EXPECT_GT(count_readable(), tail.next.value - 1 - 100);
  EXPECT_GE(opened.store->unreadable(), tail.next.value - 1 - count_readable());
  start();
  EXPECT_TRUE(opened.set_aside.empty());
}

TEST_F(Damage, AnySingleFlipStarts) {
  fill();
  const std::string pristine = path() + ".pristine";
  std::filesystem::copy(path(), pristine, std::filesystem::copy_options::recursive);
  uint64_t seed = 1;
  for (int round = 0; round < 10; ++round) {
    stop();
    std::filesystem::remove_all(path());
    std::filesystem::copy(pristine, path(), std::filesystem::copy_options::recursive);
    const auto all = files("");
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    const std::string& file = all[(seed >> 33) % all.size()];
    const uint64_t size = std::filesystem::file_size(file);
    if (size < 9) continue;
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    flip(file, (seed >> 33) % (size - 8), 8);
    SCOPED_TRACE(file);
    start();
    (void)count_readable();
    tail = decode_queue_tail(state(queue_tail_key(queue))).value_or(QueueTail{});
    append(5);
  }
}

// --- the log reader alone ---

std::string log_piece(uint8_t type, std::string_view data) {
  const std::string typed = std::string(1, char(type)) + std::string(data);
  const uint32_t crc = crc32c(typed);
  const uint32_t masked = ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
  std::string out;
  for (int i = 0; i < 4; ++i) out.push_back(char(masked >> (8 * i)));
  out.push_back(char(data.size() & 0xFF));
  out.push_back(char(data.size() >> 8));
  return out + typed;
}
std::string record(uint64_t sequence, uint32_t count) {
  std::string out;
  for (int i = 0; i < 8; ++i) out.push_back(char(sequence >> (8 * i)));
  for (int i = 0; i < 4; ++i) out.push_back(char(count >> (8 * i)));
  return out + "changes";
}
std::tuple<size_t, uint64_t> read_log(std::vector<std::string> logs) {
  LogContinuity continuity;
  size_t records = 0;
  for (auto& log : logs) {
    LogReader reader([&](std::string& block) {
      block = log.substr(0, log_block_size);
      log.erase(0, block.size());
      return !block.empty();
    });
    while (const auto found = reader.next()) ++records, continuity.saw(reader, *found);
    continuity.log_ended(reader);
  }
  return {records, continuity.damaged_spots()};
}

TEST(Log, Crc32cIsCastagnolis) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
}

TEST(Log, PiecesArePutTogether) {
  const std::string whole = record(1, 2);
  EXPECT_EQ(
      read_log({log_piece(2, whole.substr(0, 5)) + log_piece(3, whole.substr(5, 5)) + log_piece(4, whole.substr(10))}),
      std::tuple(1u, 0u));
}

TEST(Log, ATornTailIsNoDamage) {
  const std::string good = log_piece(1, record(1, 2));
  const std::string torn = log_piece(1, record(3, 1));
  for (size_t n = 0; n < torn.size(); ++n) EXPECT_EQ(read_log({good + torn.substr(0, n)}), std::tuple(1u, 0u)) << n;
  EXPECT_EQ(read_log({good + std::string(5000, '\0')}), std::tuple(1u, 0u));
}

TEST(Log, AGapBeforeAReadableRecordIsDamage) {
  std::string bad = log_piece(1, record(3, 1));
  bad[9] = char(~bad[9]);
  EXPECT_EQ(read_log({log_piece(1, record(1, 2)) + bad + log_piece(1, record(4, 1))}), std::tuple(2u, 1u));
}

TEST(Log, AFailedWriteThatWasMadeAgainInTheNextLogIsNoDamage) {
  const std::string torn = log_piece(1, record(3, 1)).substr(0, 12);
  EXPECT_EQ(read_log({log_piece(1, record(1, 2)) + torn, log_piece(1, record(3, 1))}), std::tuple(2u, 0u));
}

}  // namespace
}  // namespace tidegate::store
