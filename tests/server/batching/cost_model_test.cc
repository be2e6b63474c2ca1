#include "server/batching/cost_model.h"

#include <vector>

#include "gtest/gtest.h"

namespace deberta::server {
namespace {

double True(double tokens) {
  return 0.002 + 0.001 * tokens + 1e-6 * tokens * tokens;
}

TEST(CostModelTest, GoesThroughItsSamples) {
  const std::vector<CostModel::Sample> samples = {
      {8, True(8)}, {64, True(64)}, {256, True(256)}};
  const CostModel model = CostModel::Through(samples);
  for (const size_t tokens : {8u, 64u, 256u, 500u}) {
    EXPECT_NEAR(model.SecondsOfBatch() + model.Seconds(tokens, 0),
                True(static_cast<double>(tokens)), 1e-9)
        << tokens;
  }
  EXPECT_NEAR(model.SecondsOfTokens(100), 0.1, 1e-9) << "as of short ones";
  EXPECT_NEAR(model.Seconds(0, 10), 0.01, 1e-9) << "the head's work";
}

TEST(CostModelTest, KnowsNothingWithoutSamples) {
  const CostModel model;
  EXPECT_FALSE(model.known());
  EXPECT_EQ(model.Seconds(100, 100), 0);
  EXPECT_FALSE(CostModel::Through({}).known());
}

// Whatever the machine did meanwhile, longer texts do not take less time.
TEST(CostModelTest, NoiseGivesNoNegativeTimes) {
  const std::vector<std::vector<CostModel::Sample>> noisy = {
      {{8, 0.01}},
      {{8, 0.01}, {64, 0.005}},
      {{8, 0.01}, {64, 0.1}, {256, 0.11}},
      {{8, 0.1}, {64, 0.1}, {256, 0.1}},
      {{8, 0.1}, {64, 0.01}, {256, 2}},
  };
  for (const auto& samples : noisy) {
    const CostModel model = CostModel::Through(samples);
    EXPECT_TRUE(model.known());
    EXPECT_GE(model.SecondsOfBatch(), 0);
    double last = 0;
    for (size_t tokens = 1; tokens < 600; ++tokens) {
      EXPECT_GT(model.Seconds(tokens, 0), last);
      last = model.Seconds(tokens, 0);
    }
  }
}

TEST(CostModelTest, FollowsTheMachine) {
  CostModel model =
      CostModel::Through(std::vector<CostModel::Sample>{{8, 0.008}});
  for (int batch = 0; batch < 100; ++batch)
    model.Correct(model.Seconds(100, 0), 0.25);
  EXPECT_NEAR(model.Seconds(100, 0), 0.25, 0.01);
  for (int batch = 0; batch < 100; ++batch)
    model.Correct(model.Seconds(100, 0), 0.05);
  EXPECT_NEAR(model.Seconds(100, 0), 0.05, 0.002);
}

TEST(CostModelTest, OneBatchSaysLittle) {
  CostModel model =
      CostModel::Through(std::vector<CostModel::Sample>{{8, 0.008}});
  model.Correct(0.1, 100);
  EXPECT_LT(model.Seconds(100, 0), 0.13);
  model.Correct(0, 1);
  model.Correct(1, 0);
  EXPECT_GT(model.Seconds(100, 0), 0.05);
}

// A correction that refuses everything would never be corrected.
TEST(CostModelTest, DoubtLeadsBackToWhatWasMeasured) {
  CostModel model =
      CostModel::Through(std::vector<CostModel::Sample>{{8, 0.008}});
  for (int batch = 0; batch < 200; ++batch)
    model.Correct(model.Seconds(100, 0), 5);
  ASSERT_GT(model.Seconds(100, 0), 4);
  for (int refusal = 0; refusal < 100; ++refusal) model.Doubt();
  EXPECT_NEAR(model.Seconds(100, 0), 0.1, 0.01);
}

}  // namespace
}  // namespace deberta::server
