#include "gateway/log/line.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace tidegate::log {
namespace {

Line a_line(std::string text = "Listening: listener=lan") {
  return {WallTime{Millis{1795232347123}}, Level::info, Component::net, std::move(text)};
}

class InZone {
 public:
  explicit InZone(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  ~InZone() {
    ::unsetenv("TZ");
    ::tzset();
  }
};

TEST(LogLine, IsTextWithTimeLevelAndComponent) {
  InZone zone("UTC0");
  EXPECT_EQ(formatted(a_line(), Format::text, Timestamp::iso8601),
            "2026-11-21T03:39:07.123+00:00 info [net] Listening: listener=lan");
  EXPECT_EQ(formatted(a_line(), Format::text, Timestamp::unix_seconds),
            "1795232347.123 info [net] Listening: listener=lan");
  EXPECT_EQ(formatted(a_line(), Format::text, Timestamp::none), "info [net] Listening: listener=lan");
}

TEST(LogLine, HasLocalTimeWithItsOffset) {
  InZone zone("EST5:30");
  EXPECT_EQ(time_text(WallTime{Millis{1795232347123}}, Timestamp::iso8601), "2026-11-20T22:09:07.123-05:30");
}

TEST(LogLine, IsJson) {
  InZone zone("UTC0");
  EXPECT_EQ(formatted(a_line("a \"b\" \\c"), Format::json, Timestamp::iso8601),
            R"({"time":"2026-11-21T03:39:07.123+00:00","level":"info","component":"net","message":"a \"b\" \\c"})");
  EXPECT_EQ(formatted(a_line(), Format::json, Timestamp::unix_seconds),
            R"({"time":1795232347.123,"level":"info","component":"net","message":"Listening: listener=lan"})");
  EXPECT_EQ(formatted(a_line("x"), Format::json, Timestamp::none),
            R"({"level":"info","component":"net","message":"x"})");
}

TEST(LogLine, JsonIsUtf8WhateverWasSaid) {
  auto message = [](std::string text) { return formatted(a_line(std::move(text)), Format::json, Timestamp::none); };
  EXPECT_EQ(message("gr\xC3\xBC\xC3\x9F"), R"({"level":"info","component":"net","message":"grüß"})");
  for (const char* bad : {"\xFF", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80"}) {
    std::string json = message(bad);
    EXPECT_NE(json.find("\xEF\xBF\xBD"), json.npos) << bad;
    EXPECT_EQ(json.find(bad), json.npos);
  }
}

TEST(LogLine, IsOneLine) {
  EXPECT_EQ(one_line("a\nb\r\x1B[31mc\x7F"), "a b  [31mc ");
  EXPECT_EQ(one_line(std::string(100'000, 'x')).size(), line_bytes_max);
}

TEST(LogLine, LevelsBearMosquittosLettersAndSyslogsNumbers) {
  EXPECT_EQ(letter(Level::error), 'E');
  EXPECT_EQ(letter(Level::notice), 'N');
  EXPECT_EQ(letter(Level::debug), 'D');
  EXPECT_EQ(severity(Level::error), 3);
  EXPECT_EQ(severity(Level::debug), 7);
}

}  // namespace
}  // namespace tidegate::log
