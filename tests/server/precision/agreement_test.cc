#include "server/precision/agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace deberta::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Agreement Compare(LabelRule rule, const std::vector<float>& fp32,
                  const std::vector<float>& other, size_t width) {
  Agreement agreement;
  CompareInput(rule, fp32, other, width, &agreement);
  EXPECT_EQ(agreement.inputs, 1u);
  return agreement;
}

struct LabelCase {
  const char* name;
  LabelRule rule;
  std::vector<float> fp32;
  std::vector<float> other;
  size_t width;
  size_t labels;
  size_t agreeing;
};

TEST(CompareInputTest, CountsTheLabelsThatCallersSee) {
  const std::vector<LabelCase> cases = {
      {"one text", LabelRule::kBestOfRow, {1, 2}, {1.5, 1.6f}, 2, 1, 1},
      {"another class", LabelRule::kBestOfRow, {1, 2}, {1.7f, 1.6f}, 2, 1, 0},
      {"tokens", LabelRule::kBestOfRow, {1, 2, 3, 0}, {2, 1, 3, 0}, 2, 2, 1},
      // Rows are tokens, columns start and end.
      {"answer", LabelRule::kBestOfColumn, {5, 0, 1, 9}, {5, 3, 1, 2}, 2, 2, 1},
      {"choices", LabelRule::kBestOfColumn, {1, 3, 2}, {1, 2, 3}, 1, 1, 0},
      {"sides", LabelRule::kSides, {1, -1, 2}, {3, -2, -0.1f}, 3, 3, 2},
      {"regression", LabelRule::kNone, {1}, {-5}, 1, 0, 0},
      {"same direction", LabelRule::kDirection, {1, 2}, {10, 20}, 2, 1, 1},
      {"turned", LabelRule::kDirection, {1, 0, 0, 1}, {1, 0.5f, 0, 1}, 2, 2, 1},
      {"nothing", LabelRule::kDirection, {0, 0}, {0, 0}, 2, 1, 1}};
  for (const LabelCase& c : cases) {
    SCOPED_TRACE(c.name);
    const Agreement agreement = Compare(c.rule, c.fp32, c.other, c.width);
    EXPECT_EQ(agreement.labels, c.labels);
    EXPECT_EQ(agreement.agreeing, c.agreeing);
  }
}

TEST(CompareInputTest, KeepsTheLargestChange) {
  Agreement agreement;
  CompareInput(LabelRule::kBestOfRow, std::vector<float>{1, 2},
               std::vector<float>{1.25f, 1}, 2, &agreement);
  CompareInput(LabelRule::kBestOfRow, std::vector<float>{1, 2},
               std::vector<float>{1, 2}, 2, &agreement);
  EXPECT_EQ(agreement.max_logit_change, 1);
  EXPECT_EQ(agreement.inputs, 2u);
  EXPECT_EQ(agreement.label_agreement(), 0.5);
}

// NaN compares with nothing: a plain maximum would not have seen it.
TEST(CompareInputTest, NumbersThatAreNotFiniteNeverPass) {
  for (const float bad : {kNan, HUGE_VALF, -HUGE_VALF}) {
    const Agreement agreement =
        Compare(LabelRule::kBestOfRow, {1, 2, 3}, {bad, 2, 3}, 3);
    EXPECT_FALSE(std::isfinite(agreement.max_logit_change));
    EXPECT_THAT(WhyTooFar(agreement, {.min_label_agreement = 0}),
                HasSubstr("finite"));
    EXPECT_FALSE(std::isfinite(
        Compare(LabelRule::kNone, {bad}, {bad}, 1).max_logit_change));
  }
}

TEST(WhyTooFarTest, HoldsFiguresAgainstThresholds) {
  const Agreement agreement = {
      .inputs = 200, .labels = 200, .agreeing = 198, .max_logit_change = 0.5};
  EXPECT_EQ(WhyTooFar(agreement, {}), "");
  EXPECT_EQ(WhyTooFar(agreement, {.max_logit_change = 0.5}), "");
  EXPECT_THAT(WhyTooFar(agreement, {.min_label_agreement = 0.995}),
              HasSubstr("--min_label_agreement=0.995"));
  EXPECT_THAT(WhyTooFar(agreement, {.max_logit_change = 0.4}),
              HasSubstr("--max_logit_change=0.4"));
  EXPECT_THAT(
      WhyTooFar(agreement, {.min_label_agreement = 1, .max_logit_change = 0.1}),
      AllOf(HasSubstr("min_label_agreement"), HasSubstr("max_logit_change")));
  EXPECT_EQ(WhyTooFar({.inputs = 1, .max_logit_change = 3}, {}), "");
}

Calibration Sequences(const std::vector<size_t>& lengths) {
  Calibration calibration;
  for (const size_t length : lengths) {
    calibration.inputs.push_back({{{.ids = std::vector<int32_t>(length, 7),
                                    .type_ids = std::vector<int32_t>(length),
                                    .rows = {0, 2}}}});
  }
  return calibration;
}

TEST(FirstInputsTest, PacksUpToTheLimit) {
  const Calibration calibration = Sequences({3, 4, 5});
  const model::RaggedBatch two = FirstInputs(calibration, 11);
  EXPECT_THAT(two.starts, testing::ElementsAre(0, 3, 7));
  EXPECT_THAT(two.logit_rows, testing::ElementsAre(0, 2, 3, 5));
  EXPECT_EQ(FirstInputs(calibration, 2).tokens(), 3u);
  EXPECT_EQ(FirstInputs(calibration, 100).sequences(), 3u);
}

}  // namespace
}  // namespace deberta::server
