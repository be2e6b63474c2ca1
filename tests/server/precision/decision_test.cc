#include "server/precision/decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace deberta::server {
namespace {

using model::Precision;
using testing::HasSubstr;

const Agreement kGood = {
    .inputs = 100, .labels = 100, .agreeing = 99, .max_logit_change = 0.25};
const Agreement kBad = {
    .inputs = 100, .labels = 100, .agreeing = 98, .max_logit_change = 0.25};
const Agreement kNotFinite = {
    .inputs = 100,
    .labels = 100,
    .agreeing = 100,
    .max_logit_change = std::numeric_limits<double>::infinity()};

struct DecisionCase {
  const char* name;
  std::vector<Trial> trials;
  Precision used;
  const char* reason;
};

TEST(DecideTest, TakesTheFastestThatIsWorthItAndPasses) {
  constexpr Precision kInt8 = Precision::kInt8;
  constexpr Precision kBf16 = Precision::kBf16;
  constexpr Precision kFp32 = Precision::kFp32;
  const std::vector<DecisionCase> cases = {
      {"asked for",
       {{kInt8, {}, kGood}},
       kInt8,
       "int8: 99 of 100 labels agree with fp32, a logit changes by at most "
       "0.25; int8 is served"},
      {"asked for and bad",
       {{kInt8, {}, kBad}},
       kFp32,
       "int8: 98 of 100 labels agree with fp32, a logit changes by at most "
       "0.25: the share of labels is below --min_label_agreement=0.99; fp32 is "
       "served"},
      {"not finite", {{kBf16, {}, kNotFinite}}, kFp32, "finite number"},
      {"fast and good",
       {{kInt8, 2.0, kGood}, {kBf16, 1.5, {}}},
       kInt8,
       "int8: 2.00 times as fast as fp32, 99 of 100 labels agree with fp32, a "
       "logit changes by at most 0.25; bf16: 1.50 times as fast as fp32; int8 "
       "is served"},
      {"the second is faster",
       {{kInt8, 1.3, kGood}, {kBf16, 1.5, kGood}},
       kBf16,
       "bf16 is served"},
      {"the faster is bad",
       {{kInt8, 2.0, kBad}, {kBf16, 1.2, kGood}},
       kBf16,
       "bf16 is served"},
      {"as fast",
       {{kInt8, 1.5, kGood}, {kBf16, 1.5, kGood}},
       kInt8,
       "int8 is served"},
      {"not worth it",
       {{kInt8, 1.14, {}}, {kBf16, 0.9, {}}},
       kFp32,
       "int8: 1.14 times as fast as fp32, 1.15 would be worth it; bf16: 0.90"},
      {"good but not worth it", {{kInt8, 1.1, kGood}}, kFp32, "fp32 is served"},
      {"just worth it", {{kInt8, kLeastSpeedup, kGood}}, kInt8, "int8 is"},
      {"all bad",
       {{kInt8, 3.0, kBad}, {kBf16, 2.0, kNotFinite}},
       kFp32,
       "fp32 is served"},
      {"no labels",
       {{kInt8, {}, Agreement{.inputs = 9, .max_logit_change = 2}}},
       kInt8,
       "int8: a logit changes by at most 2; int8 is served"}};
  for (const DecisionCase& c : cases) {
    SCOPED_TRACE(c.name);
    const Decision decision = Decide(c.trials, {});
    EXPECT_EQ(decision.used, c.used);
    ASSERT_EQ(decision.trial.has_value(), c.used != kFp32);
    if (decision.trial.has_value()) {
      EXPECT_EQ(c.trials[*decision.trial].precision, c.used);
    }
    EXPECT_THAT(decision.reason, HasSubstr(c.reason));
  }
}

TEST(DecideTest, ThresholdsAreTheCallers) {
  const std::vector<Trial> trials = {{Precision::kInt8, {}, kBad}};
  EXPECT_EQ(Decide(trials, {.min_label_agreement = 0.98}).used,
            Precision::kInt8);
  EXPECT_EQ(
      Decide(trials, {.min_label_agreement = 0, .max_logit_change = 0.1}).used,
      Precision::kFp32);
}

TEST(CouldWinTest, OnlyWhatIsFasterThanTheBestSoFar) {
  EXPECT_FALSE(CouldWin(1.1, {}, {}));
  EXPECT_TRUE(CouldWin(1.2, {}, {}));
  const std::vector<Trial> good = {{Precision::kInt8, 2.0, kGood}};
  EXPECT_FALSE(CouldWin(1.9, good, {}));
  EXPECT_TRUE(CouldWin(2.1, good, {}));
  const std::vector<Trial> bad = {{Precision::kInt8, 2.0, kBad}};
  EXPECT_TRUE(CouldWin(1.9, bad, {}));
}

}  // namespace
}  // namespace deberta::server
