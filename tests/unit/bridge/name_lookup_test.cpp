#include "bridge/name_lookup.h"

#include <gtest/gtest.h>
#include <netdb.h>

#include <condition_variable>
#include <mutex>

namespace tidegate::bridge {
namespace {

// A bell that a lookup rings.
struct Bell {
  std::mutex mutex;
  std::condition_variable rung;
  int rings = 0;
  void ring() {
    std::lock_guard lock(mutex);
    ++rings;
    rung.notify_all();
  }
  bool wait(int count) {
    std::unique_lock lock(mutex);
    return rung.wait_for(lock, std::chrono::seconds(10), [&] { return rings >= count; });
  }
};

std::string numeric_answer(const char* host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(host, nullptr, &hints, &list) != 0) return "error";
  char text[64];
  getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  freeaddrinfo(list);
  return text;
}

TEST(PinnedName, TheProgramsGetaddrinfoAnswersFromThePin) {
  PinnedName name("remote.invalid");
  EXPECT_EQ(numeric_answer("remote.invalid"), "error") << "registered, nothing known: EAI_AGAIN at once";
  name.pin("192.0.2.7");
  EXPECT_EQ(numeric_answer("remote.invalid"), "192.0.2.7");
  name.pin("2001:db8::1");
  EXPECT_EQ(numeric_answer("remote.invalid"), "2001:db8::1");
}

TEST(PinnedName, OtherNamesPassThrough) {
  PinnedName name("remote.invalid");
  EXPECT_EQ(numeric_answer("127.0.0.1"), "127.0.0.1");
}

TEST(PinnedName, SeveralForOneHostShareItUntilTheLastIsGone) {
  auto first = std::make_unique<PinnedName>("127.0.0.9");
  auto second = std::make_unique<PinnedName>("127.0.0.9");
  first->pin("192.0.2.8");
  first.reset();
  EXPECT_EQ(numeric_answer("127.0.0.9"), "192.0.2.8");
  second.reset();
  EXPECT_EQ(numeric_answer("127.0.0.9"), "127.0.0.9");
}

TEST(NameLookup, GivesTheAnswerOfItsThread) {
  Bell bell;
  NameLookup lookup([](const std::string& host) -> Result<std::vector<std::string>> { return std::vector{host + "!"}; },
                    [&] { bell.ring(); });
  EXPECT_FALSE(lookup.take("a"));
  lookup.start("a");
  ASSERT_TRUE(bell.wait(1));
  auto answer = lookup.take("a");
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((**answer)[0], "a!");
  EXPECT_FALSE(lookup.take("a"));
}

struct Gate {
  std::mutex mutex;
  std::condition_variable opened;
  bool open = false;
  int entered = 0;
};

TEST(NameLookup, AHangingOneHoldsNobodyAndIsNotStartedTwice) {
  auto gate = std::make_shared<Gate>();
  Bell bell;
  {
    NameLookup lookup(
        [gate](const std::string& host) -> Result<std::vector<std::string>> {
          if (host == "good") return std::vector<std::string>{"192.0.2.1"};
          std::unique_lock lock(gate->mutex);
          ++gate->entered;
          gate->opened.notify_all();
          gate->opened.wait(lock, [&] { return gate->open; });
          return fail(ErrorCode::not_available, "late");
        },
        [&] { bell.ring(); });
    lookup.start("dead");
    lookup.start("dead");
    lookup.start("good");
    ASSERT_TRUE(bell.wait(1));
    EXPECT_TRUE(lookup.take("good"));
    EXPECT_FALSE(lookup.take("dead"));
  }  // does not wait for the hanging one
  std::unique_lock lock(gate->mutex);
  ASSERT_TRUE(gate->opened.wait_for(lock, std::chrono::seconds(10), [&] { return gate->entered == 1; }));
  gate->open = true;
  gate->opened.notify_all();
  EXPECT_EQ(bell.rings, 1) << "nobody is woken after the owner is gone";
}

TEST(NumericAddress, IsToldFromAName) {
  EXPECT_TRUE(is_numeric_address("10.1.0.5"));
  EXPECT_TRUE(is_numeric_address("::1"));
  EXPECT_FALSE(is_numeric_address("mqtt.example.com"));
}

}  // namespace
}  // namespace tidegate::bridge
