#include "gateway/log/writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

#include "gateway/log/destinations.h"
#include "tests/support/temp_folder.h"

namespace tidegate::log {
namespace {

// Keeps what it is given; may fail, or wait until it is let go.
struct Seen {
  std::mutex mutex;
  std::vector<std::string> lines;
  bool fails = false;
  std::shared_future<void> may_go;

  std::vector<std::string> all() {
    std::lock_guard lock(mutex);
    return lines;
  }
};

class ToSeen final : public Destination {
 public:
  explicit ToSeen(Seen& seen) : seen_(seen) {}
  bool write(const Line& line) override {
    if (seen_.may_go.valid()) seen_.may_go.wait();
    if (seen_.fails) return false;
    std::lock_guard lock(seen_.mutex);
    seen_.lines.push_back(line.text);
    return true;
  }
  std::string name() const override { return "seen"; }

 private:
  Seen& seen_;
};

Line said(std::string text) {
  return {WallTime{}, Level::info, Component::net, std::move(text)};
}

template <class... Places>
Destinations destinations(Places&&... places) {
  Destinations out;
  (out.push_back(std::forward<Places>(places)), ...);
  return out;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

TEST(LogWriter, WritesEverythingInOrderBeforeItStops) {
  Seen seen;
  Writer writer(100);
  writer.set_destinations(destinations(std::make_unique<ToSeen>(seen)));
  writer.start();
  for (int i = 0; i < 50; ++i) writer.post(said(std::to_string(i)));
  writer.stop();
  ASSERT_EQ(seen.all().size(), 50u);
  EXPECT_EQ(seen.all().front(), "0");
  EXPECT_EQ(seen.all().back(), "49");
}

TEST(LogWriter, WritesAtOnceWhileItDoesNotRun) {
  Seen seen;
  Writer writer(100);
  writer.set_destinations(destinations(std::make_unique<ToSeen>(seen)));
  writer.post(said("before"));
  EXPECT_EQ(seen.all(), std::vector<std::string>{"before"});
}

TEST(LogWriter, DropsTheOldestCountsAndTells) {
  Seen seen;
  std::promise<void> go;
  seen.may_go = go.get_future().share();
  Writer writer(3);
  writer.set_destinations(destinations(std::make_unique<ToSeen>(seen)));
  for (int i = 0; i < 10; ++i) {
    if (i == 0) writer.start();
    writer.post(said(std::to_string(i)));
  }
  EXPECT_GE(writer.dropped(), 4u);
  go.set_value();
  writer.stop();
  std::string dropped = "Log lines dropped: lines=" + std::to_string(writer.dropped());
  std::vector<std::string> lines = seen.all();
  EXPECT_EQ(lines.back(), "9");
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [&](const auto& line) { return line.starts_with(dropped); }));
}

TEST(LogWriter, TellsTheOthersOnceOfOneThatFails) {
  Seen good, bad;
  bad.fails = true;
  Writer writer(100);
  writer.set_destinations(destinations(std::make_unique<ToSeen>(good), std::make_unique<ToSeen>(bad)));
  writer.post(said("a"));
  writer.post(said("b"));
  EXPECT_EQ(good.all(), (std::vector<std::string>{"a", "Cannot write the log: destination=seen", "b"}));
  EXPECT_EQ(writer.dropped(), 2u);
  bad.fails = false;
  writer.post(said("c"));
  EXPECT_EQ(bad.all(), std::vector<std::string>{"c"});
}

TEST(LogFile, IsRotatedAndKeepsSoMany) {
  TempFolder folder;
  std::string path = folder.path() + "/log";
  Writer writer(100);
  writer.set_destinations(destinations(*to_file({path, 64, 2}, {Format::text, Timestamp::none})));
  for (int i = 0; i < 10; ++i) writer.post(said("line " + std::to_string(i)));  // 19 bytes each: three in a file
  EXPECT_EQ(text_of(path), "info [net] line 9\n");
  EXPECT_EQ(text_of(path + ".1"), "info [net] line 6\ninfo [net] line 7\ninfo [net] line 8\n");
  EXPECT_EQ(text_of(path + ".2"), "info [net] line 3\ninfo [net] line 4\ninfo [net] line 5\n");
  EXPECT_FALSE(std::filesystem::exists(path + ".3"));
}

TEST(LogFile, GoesOnWhereItStoodAndBeginsAnewWhenReopened) {
  TempFolder folder;
  std::string path = folder.path() + "/log";
  for (const char* text : {"a", "b"}) {
    Writer writer(100);
    writer.set_destinations(destinations(*to_file({path, 4096, 2}, {Format::text, Timestamp::none})));
    writer.post(said(text));
    if (*text == 'a') continue;
    std::filesystem::rename(path, path + ".old");
    writer.post(said("c"));
    writer.reopen();
    writer.post(said("d"));
  }
  EXPECT_EQ(text_of(path + ".old"), "info [net] a\ninfo [net] b\ninfo [net] c\n");
  EXPECT_EQ(text_of(path), "info [net] d\n");
}

TEST(LogFile, ThatCannotBeOpenedIsAnError) {
  auto file = to_file({"/nowhere/at/all", 4096, 2}, {});
  ASSERT_FALSE(file.has_value());
  EXPECT_NE(file.error().context.find("/nowhere/at/all"), std::string::npos);
}

TEST(LogTopic, HasMosquittosNamesAndDoesNotFeedItself) {
  std::vector<std::string> published;
  auto publish = [&](const std::string& topic, const std::string& payload) {
    published.push_back(topic + " " + payload);
    return true;
  };
  Writer writer(100);
  writer.set_destinations(destinations(to_topic(publish, false, {Format::text, Timestamp::none}),
                                       to_topic(publish, true, {Format::text, Timestamp::none})));
  Line line = said("a");
  writer.post(line);
  line.from_topic = true;
  writer.post(line);
  EXPECT_EQ(published,
            (std::vector<std::string>{"$SYS/broker/log/I info [net] a", "$SYS/broker/log/I/net info [net] a"}));
}

}  // namespace
}  // namespace tidegate::log
