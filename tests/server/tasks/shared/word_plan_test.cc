#include "server/tasks/shared/word_plan.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using Window = WordPlan::Window;

// Words of one token each.
std::vector<uint32_t> Ends(size_t words) {
  std::vector<uint32_t> ends;
  for (uint32_t i = 1; i <= words; ++i) ends.push_back(i);
  return ends;
}

WordRule Rule(LengthPolicy policy, size_t overlap = 0) {
  return {.policy = policy,
          .max_words = 4,
          .max_tokens = 100,
          .overlap = overlap,
          .fixed_tokens = 10};
}

TEST(WordPlanTest, OneWindowHoldsAll) {
  for (const LengthPolicy policy :
       {LengthPolicy::kReject, LengthPolicy::kTruncate,
        LengthPolicy::kWindow}) {
    const auto plan = PlanWords(Ends(4), Rule(policy), "inputs[0]");
    ASSERT_TRUE(plan.ok()) << plan.status();
    EXPECT_THAT(plan->windows, ElementsAre(Window{0, 4}));
    EXPECT_EQ(plan->longest, 14u);
    EXPECT_EQ(plan->coverage.tokens_total, 14u);
    EXPECT_EQ(plan->coverage.tokens_used, 14u);
    EXPECT_FALSE(plan->coverage.truncated);
  }
}

TEST(WordPlanTest, WindowsShareWords) {
  const auto plan =
      PlanWords(Ends(9), Rule(LengthPolicy::kWindow, 1), "inputs[0]");
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->windows,
              ElementsAre(Window{0, 4}, Window{3, 7}, Window{6, 9}));
  EXPECT_EQ(plan->coverage.tokens_total, 19u);
  EXPECT_EQ(plan->coverage.tokens_used, 19u);
  EXPECT_EQ(plan->coverage.windows, 3u);
}

TEST(WordPlanTest, TokensBoundWindowsToo) {
  WordRule rule = Rule(LengthPolicy::kWindow);
  rule.max_tokens = 15;
  // Words of 1, 3, 2, 5 and 1 tokens.
  const std::vector<uint32_t> ends = {1, 4, 6, 11, 12};
  auto plan = PlanWords(ends, rule, "inputs[0]");
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->windows, ElementsAre(Window{0, 2}, Window{2, 3},
                                         Window{3, 4}, Window{4, 5}));
  EXPECT_EQ(plan->longest, 15u);
  EXPECT_EQ(plan->longest_words, 2u);

  rule.overlap = 1;
  EXPECT_EQ(PlanWords(ends, rule, "inputs[0]").status().message(),
            "stride: must be less than the 1 words that a window of long words "
            "holds, got 1");
  rule.policy = LengthPolicy::kTruncate;
  plan = PlanWords(ends, rule, "inputs[0]");
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->windows, ElementsAre(Window{0, 2}));
  EXPECT_TRUE(plan->coverage.truncated);
  rule.policy = LengthPolicy::kReject;
  rule.max_words = 0;
  EXPECT_EQ(PlanWords(ends, rule, "inputs[0]").status().message(),
            "inputs[0]: has 22 tokens with the labels and the special ones, "
            "the limit is 15");
  rule.max_tokens = 12;
  rule.policy = LengthPolicy::kWindow;
  rule.overlap = 0;
  EXPECT_EQ(PlanWords(ends, rule, "inputs[0]").status().message(),
            "inputs[0]: has a word that takes 13 tokens with the labels and "
            "the special ones, the limit is 12");
  rule.max_tokens = 10;
  EXPECT_EQ(PlanWords(ends, rule, "inputs[0]").status().message(),
            "labels: leave no room for a text: they and the special tokens are "
            "10 tokens, the limit is 10");
}

TEST(WordPlanTest, RefusesWordsBeyondTheLimit) {
  EXPECT_EQ(PlanWords(Ends(5), Rule(LengthPolicy::kReject), "inputs[2]")
                .status()
                .message(),
            "inputs[2]: has 5 words, the limit is 4");
  const auto plan =
      PlanWords(Ends(5), Rule(LengthPolicy::kTruncate), "inputs[2]");
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->coverage.tokens_used, 14u);
  EXPECT_EQ(plan->coverage.tokens_total, 15u);
  EXPECT_TRUE(plan->coverage.truncated);
  EXPECT_EQ(PlanWords(Ends(5), Rule(LengthPolicy::kWindow, 4), "inputs[2]")
                .status()
                .message(),
            "stride: must be less than the 4 words that a window holds, got 4");
}

}  // namespace
}  // namespace deberta::server
