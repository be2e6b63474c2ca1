#include "server/tasks/shared/scores.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::IsEmpty;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> SoftmaxOf(std::vector<float> values) {
  Softmax(values);
  return values;
}

TEST(SoftmaxTest, SumsToOneInTheRatioOfTheExponentials) {
  const std::vector<float> scores = SoftmaxOf({0, std::log(2.0f)});
  EXPECT_THAT(scores, ElementsAre(FloatEq(1.0f / 3), FloatEq(2.0f / 3)));
}

TEST(SoftmaxTest, SurvivesLargeValues) {
  EXPECT_THAT(SoftmaxOf({1e30f, 1e30f}), ElementsAre(0.5f, 0.5f));
  EXPECT_THAT(SoftmaxOf({-1e30f, -1e30f}), ElementsAre(0.5f, 0.5f));
  EXPECT_THAT(SoftmaxOf({-3e38f, 3e38f}), ElementsAre(0.0f, 1.0f));
}

TEST(SoftmaxTest, GivesMinusInfinityNothing) {
  EXPECT_THAT(SoftmaxOf({-kInfinity, 2, 2}), ElementsAre(0.0f, 0.5f, 0.5f));
}

TEST(SoftmaxTest, IsNanWithoutGreatestFiniteValue) {
  for (const std::vector<float>& values :
       {std::vector<float>{1, kNan, 2}, {1, kInfinity}, {-kInfinity}}) {
    for (const float score : SoftmaxOf(values)) {
      EXPECT_TRUE(std::isnan(score)) << score;
    }
  }
}

TEST(SoftmaxTest, LeavesNothingAsNothing) {
  EXPECT_THAT(SoftmaxOf({}), IsEmpty());
}

TEST(SoftmaxTest, KeepsSmallShareOfLargeVocabulary) {
  // 128100 equal values: an fp32 sum of them would be off by rounding.
  const std::vector<float> scores = SoftmaxOf(std::vector<float>(128100, 5.0f));
  EXPECT_FLOAT_EQ(scores[0], 1.0f / 128100);
  EXPECT_EQ(scores[0], scores[128099]);
}

TEST(SigmoidTest, IsSymmetricAndDoesNotOverflow) {
  EXPECT_FLOAT_EQ(Sigmoid(0), 0.5f);
  EXPECT_FLOAT_EQ(Sigmoid(std::log(3.0f)), 0.75f);
  EXPECT_FLOAT_EQ(Sigmoid(-std::log(3.0f)), 0.25f);
  EXPECT_EQ(Sigmoid(1e30f), 1.0f);
  EXPECT_EQ(Sigmoid(-1e30f), 0.0f);
  EXPECT_EQ(Sigmoid(kInfinity), 1.0f);
  EXPECT_EQ(Sigmoid(-kInfinity), 0.0f);
  // Where 1 + exp(-x) of the plain formula would be infinite.
  EXPECT_GT(Sigmoid(-90), 0.0f);
  EXPECT_TRUE(std::isnan(Sigmoid(kNan)));
}

TEST(ArgMaxTest, PrefersFirstOfEqualsAndNumbersToNan) {
  EXPECT_EQ(ArgMax(std::vector<float>{1, 3, 3, 2}), 1u);
  EXPECT_EQ(ArgMax(std::vector<float>{kNan, -5, kNan}), 1u);
  EXPECT_EQ(ArgMax(std::vector<float>{kNan, kNan}), 0u);
  EXPECT_EQ(ArgMax(std::vector<float>{-kInfinity, -1e38f}), 1u);
}

TEST(TopIndicesTest, OrdersBestFirstAndTiesByIndex) {
  const std::vector<float> values = {2, 5, 2, kNan, 5, -kInfinity, 2};
  EXPECT_THAT(TopIndices(values, 4), ElementsAre(1, 4, 0, 2));
  EXPECT_THAT(TopIndices(values, 100), ElementsAre(1, 4, 0, 2, 6, 3, 5));
  EXPECT_THAT(TopIndices(values, 0), IsEmpty());
  EXPECT_THAT(TopIndices(std::vector<float>(), 3), IsEmpty());
}

TEST(TopIndicesTest, KeepsIndexOrderAmongManyEquals) {
  const std::vector<uint32_t> top =
      TopIndices(std::vector<float>(128100, 1.0f), 1000);
  ASSERT_EQ(top.size(), 1000u);
  for (uint32_t i = 0; i < top.size(); ++i) ASSERT_EQ(top[i], i);
}

}  // namespace
}  // namespace deberta::server
