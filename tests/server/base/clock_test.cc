#include "server/base/clock.h"

#include "gtest/gtest.h"
#include "server/base/stopwatch.h"

namespace deberta::server {
namespace {

TEST(ClockTest, OnlyGoesForward) {
  const Stopwatch watch;
  absl::Time last = SteadyNow();
  for (int i = 0; i < 1000; ++i) {
    const absl::Time now = SteadyNow();
    EXPECT_GE(now, last);
    last = now;
  }
  EXPECT_GE(watch.elapsed(), absl::ZeroDuration());
}

TEST(ClockTest, DeadlinesAreAsFarAwayAsOnTheWallClock) {
  const absl::Time before = SteadyNow();
  const absl::Time deadline =
      SteadyDeadline(absl::Now() + absl::Hours(24 * 365));
  const absl::Time after = SteadyNow();
  // The two clocks are read one after the other.
  EXPECT_GE(deadline, before + absl::Hours(24 * 365) - (after - before));
  EXPECT_LE(deadline, after + absl::Hours(24 * 365));
  EXPECT_LT(SteadyDeadline(absl::Now() - absl::Hours(1)), SteadyNow());
  EXPECT_EQ(SteadyDeadline(absl::InfiniteFuture()), absl::InfiniteFuture());
  EXPECT_EQ(SteadyDeadline(absl::InfinitePast()), absl::InfinitePast());
}

}  // namespace
}  // namespace deberta::server
