#include "gateway/status/load_average.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tidegate::status {
namespace {

constexpr Seconds step{10};

TEST(LoadAverage, BeginsAtNothing) {
  LoadAverage load;
  for (size_t i = 0; i < LoadAverage::minutes.size(); ++i) EXPECT_EQ(load.per_minute(i), 0);
}

TEST(LoadAverage, ComesToASteadyRate) {
  LoadAverage load;
  for (uint64_t total = 100, i = 0; i < 10'000; ++i, total += 100) load.update(total, step);
  for (size_t i = 0; i < LoadAverage::minutes.size(); ++i) EXPECT_NEAR(load.per_minute(i), 600, 0.01);
}

TEST(LoadAverage, AfterOnePeriodIsAllButOneEthOfTheWay) {
  LoadAverage load;
  for (uint64_t total = 100, i = 0; i < 6; ++i, total += 100) load.update(total, step);
  EXPECT_NEAR(load.per_minute(0), 600 * (1 - std::exp(-1.0)), 0.01);
  EXPECT_NEAR(load.per_minute(1), 600 * (1 - std::exp(-1.0 / 5)), 0.01);
  EXPECT_NEAR(load.per_minute(2), 600 * (1 - std::exp(-1.0 / 15)), 0.01);
}

TEST(LoadAverage, FadesWhenNothingComes) {
  LoadAverage load;
  for (uint64_t total = 100, i = 0; i < 10'000; ++i, total += 100) load.update(total, step);
  for (int i = 0; i < 6; ++i) load.update(1'000'000, step);
  EXPECT_NEAR(load.per_minute(0), 600 * std::exp(-1.0), 0.01);
}

TEST(LoadAverage, DependsOnTimeNotOnHowOftenItIsAsked) {
  LoadAverage often, seldom;
  for (uint64_t total = 10, i = 0; i < 60; ++i, total += 10) often.update(total, Seconds{1});
  seldom.update(600, Seconds{60});
  EXPECT_NEAR(often.per_minute(0), seldom.per_minute(0), 0.01);
}

TEST(LoadAverage, IgnoresACallWithoutTime) {
  LoadAverage load;
  load.update(100, Millis{0});
  EXPECT_EQ(load.per_minute(0), 0);
  load.update(100, step);
  EXPECT_GT(load.per_minute(0), 0);
}

TEST(LoadAverage, TakesACountThatBeganAnewForNothing) {
  LoadAverage load;
  load.update(100, step);
  double before = load.per_minute(0);
  load.update(5, step);
  EXPECT_LT(load.per_minute(0), before);
  EXPECT_GE(load.per_minute(0), 0);
}

}  // namespace
}  // namespace tidegate::status
