#include "config/reload.h"

#include "tests/unit/config/load_fixture.h"

namespace tidegate::config {
namespace {

using Names = std::vector<std::string>;

Config two_bridges() {
  Config config = default_config("g", "/data");
  config.bridges = {Bridge{.name = "a"}, Bridge{.name = "b"}};
  return config;
}

TEST(Reload, OfTheSameChangesNothing) {
  EXPECT_TRUE(diff(two_bridges(), two_bridges()).empty());
}

TEST(Reload, TouchesOnlyTheBridgeThatChanged) {
  Config next = two_bridges();
  next.bridges[1].keepalive = Seconds(5);
  Diff d = diff(two_bridges(), next);
  ASSERT_EQ(d.bridges.changed.size(), 1u);
  EXPECT_EQ(d.bridges.changed[0].name, "b");
  EXPECT_EQ(d.bridges.changed[0].keys, (std::vector<ChangedKey>{{"keepalive", Applies::reconnect}}));
  EXPECT_TRUE(d.bridges.changed[0].reconnects());
  EXPECT_TRUE(d.listeners.empty());
  EXPECT_TRUE(d.live.empty());
}

TEST(Reload, BeginsTheLinkAnewForTheQueuesLimits) {
  Config next = two_bridges();
  next.bridges[0].queue.max_bytes = 5 * GiB;
  Diff d = diff(two_bridges(), next);
  EXPECT_EQ(d.bridges.changed[0].keys, (std::vector<ChangedKey>{{"queue.max_bytes", Applies::reconnect}}));
  EXPECT_TRUE(d.bridges.changed[0].reconnects());
}

TEST(Reload, GoesByNameAndNotByOrder) {
  Config next = two_bridges();
  std::swap(next.bridges[0], next.bridges[1]);
  EXPECT_TRUE(diff(two_bridges(), next).empty());
  next.bridges[0].name = "c";
  Diff d = diff(two_bridges(), next);
  EXPECT_EQ(d.bridges.added, Names{"c"});
  EXPECT_EQ(d.bridges.removed, Names{"b"});
}

TEST(Reload, SeesANewPasswordBehindTheSameWords) {
  Config running = two_bridges(), next = two_bridges();
  running.bridges[0].password = Secret("old", "file:/s");
  next.bridges[0].password = Secret("new", "file:/s");
  EXPECT_EQ(diff(running, next).bridges.changed.at(0).keys.at(0).key, "password");
}

TEST(Reload, NamesWhatWaitsForARestart) {
  Config next = two_bridges();
  next.store.path = "/other";
  next.gateway.name = "h";
  next.log.level = LogLevel::debug;
  next.limits.max_connections = 7;
  next.access.users = {User{.name = "u", .password_hash = {}}};
  Diff d = diff(two_bridges(), next);
  EXPECT_EQ(d.restart, (Names{"gateway.name", "store.path"}));
  EXPECT_EQ(d.live, (Names{"limits.max_connections", "access.users", "log.level"}));
}

TEST(Reload, OpensAListenerAnewOnlyForItsSocket) {
  Config next = two_bridges();
  next.listeners[0].allow_anonymous = false;
  next.listeners[1].port = 2000;
  Diff d = diff(two_bridges(), next);
  ASSERT_EQ(d.listeners.changed.size(), 2u);
  EXPECT_FALSE(d.listeners.changed[0].reconnects());
  EXPECT_TRUE(d.listeners.changed[1].reconnects());
}

}  // namespace
}  // namespace tidegate::config
