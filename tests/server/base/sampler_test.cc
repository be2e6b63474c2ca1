#include "server/base/sampler.h"

#include <gtest/gtest.h>

namespace deberta::server {
namespace {

int Taken(double share, int every) {
  Sampler sampler(share);
  int taken = 0;
  for (int i = 0; i < 10'000 * every; ++i) {
    const bool take = sampler.Take();
    if (take && i % every == 0) ++taken;
  }
  return taken;
}

TEST(SamplerTest, NoneAndAll) {
  EXPECT_EQ(Taken(0, 1), 0);
  EXPECT_EQ(Taken(1, 1), 10'000);
}

// 10,000 p of them with a deviation of at most 50; six of it are allowed. So
// also of every second one, every third.
TEST(SamplerTest, TheShareIsTakenOfEveryRhythm) {
  for (const double share : {0.01, 0.5, 0.9}) {
    for (const int every : {1, 2, 3, 10})
      EXPECT_NEAR(Taken(share, every), 10'000 * share, 300) << share << every;
  }
}

}  // namespace
}  // namespace deberta::server
