#include "server/tasks/sequence_plan.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/tasks/golden_cases.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// `count` tokens with the ids first, first + 1, ...
tokenizer::TokenSequence Tokens(size_t count, int32_t first) {
  tokenizer::TokenSequence tokens;
  for (size_t i = 0; i < count; ++i) {
    const auto position = static_cast<uint32_t>(i);
    tokens.ids.push_back(first + static_cast<int32_t>(i));
    tokens.offsets.push_back({position, position + 1});
    tokens.words.push_back(static_cast<int32_t>(i));
  }
  return tokens;
}

absl::StatusOr<SequencePlan> PlanOf(const LengthRule& rule, size_t a,
                                    size_t b = 0) {
  SequencePlanner planner(GoldenTokenizer("v1"));
  const tokenizer::TokenSequence second = Tokens(b, 200);
  return planner.Plan(Tokens(a, 100), b == 0 ? nullptr : &second, rule,
                      "inputs[3]");
}

TEST(SequencePlanTest, TakesWhatFitsWhole) {
  for (const LengthPolicy policy :
       {LengthPolicy::kReject, LengthPolicy::kTruncate,
        LengthPolicy::kWindow}) {
    const auto plan = PlanOf({.policy = policy, .max_tokens = 6}, 4);
    ASSERT_TRUE(plan.ok()) << plan.status();
    ASSERT_EQ(plan->encodings.size(), 1u);
    EXPECT_THAT(plan->encodings[0].ids, ElementsAre(1, 100, 101, 102, 103, 2));
    EXPECT_EQ(plan->coverage.tokens_total, 6u);
    EXPECT_EQ(plan->coverage.tokens_used, 6u);
    EXPECT_EQ(plan->coverage.windows, 1u);
    EXPECT_FALSE(plan->coverage.truncated);
  }
}

TEST(SequencePlanTest, RejectionStatesTokensAndLimit) {
  const auto plan = PlanOf({.max_tokens = 6}, 2, 2);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(InputErrorField(plan.status()), "inputs[3]");
  EXPECT_THAT(std::string(plan.status().message()),
              ::testing::AllOf(HasSubstr("7 tokens"), HasSubstr("limit is 6")));
}

TEST(SequencePlanTest, TruncatesLongestFirst) {
  const LengthRule rule = {.policy = LengthPolicy::kTruncate, .max_tokens = 9};
  const auto plan = PlanOf(rule, 2, 9);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->encodings[0].ids,
              ElementsAre(1, 100, 101, 2, 200, 201, 202, 203, 2));
  EXPECT_THAT(plan->encodings[0].type_ids,
              ElementsAre(0, 0, 0, 0, 1, 1, 1, 1, 1));
  EXPECT_EQ(plan->coverage.tokens_total, 14u);
  EXPECT_EQ(plan->coverage.tokens_used, 9u);
  EXPECT_TRUE(plan->coverage.truncated);

  const auto single = PlanOf(rule, 10);
  ASSERT_TRUE(single.ok()) << single.status();
  EXPECT_EQ(single->encodings[0].size(), 9u);
  EXPECT_EQ(single->coverage.tokens_total, 12u);
}

TEST(SequencePlanTest, WindowsTheOnlyText) {
  const auto plan = PlanOf(
      {.policy = LengthPolicy::kWindow, .max_tokens = 6, .overlap = 1}, 8);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->encodings.size(), 3u);
  EXPECT_THAT(plan->encodings[0].ids, ElementsAre(1, 100, 101, 102, 103, 2));
  EXPECT_THAT(plan->encodings[1].ids, ElementsAre(1, 103, 104, 105, 106, 2));
  EXPECT_THAT(plan->encodings[2].ids, ElementsAre(1, 106, 107, 2));
  EXPECT_THAT(plan->begins, ElementsAre(0, 3, 6));
  EXPECT_EQ(plan->coverage.tokens_total, 10u);
  EXPECT_EQ(plan->coverage.tokens_used, 10u);
  EXPECT_EQ(plan->coverage.windows, 3u);
  EXPECT_FALSE(plan->coverage.truncated);
}

TEST(SequencePlanTest, WindowsTheSecondTextWithTheFirstWhole) {
  const auto plan =
      PlanOf({.policy = LengthPolicy::kWindow, .max_tokens = 7}, 2, 3);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->encodings.size(), 2u);
  EXPECT_THAT(plan->encodings[0].ids, ElementsAre(1, 100, 101, 2, 200, 201, 2));
  EXPECT_THAT(plan->encodings[1].ids, ElementsAre(1, 100, 101, 2, 202, 2));
  EXPECT_EQ(plan->coverage.tokens_total, 8u);
}

TEST(SequencePlanTest, RefusesOverlapThatFillsTheRoom) {
  LengthRule rule = {.policy = LengthPolicy::kWindow, .max_tokens = 8};
  rule.overlap = 6;  // room of a single text: 8 - 2
  EXPECT_EQ(InputErrorField(PlanOf(rule, 3).status()), "stride");
  rule.overlap = 5;
  EXPECT_TRUE(PlanOf(rule, 30).ok());
  // Room beside two tokens of a first text: 8 - 3 - 2.
  rule.overlap = 3;
  EXPECT_EQ(InputErrorField(PlanOf(rule, 2, 3).status()), "stride");
  rule.overlap = 2;
  EXPECT_TRUE(PlanOf(rule, 2, 30).ok());
}

TEST(SequencePlanTest, RefusesFirstTextThatLeavesNoRoom) {
  const LengthRule rule = {.policy = LengthPolicy::kWindow, .max_tokens = 8};
  EXPECT_EQ(InputErrorField(PlanOf(rule, 5, 1).status()), "inputs[3]");
  EXPECT_TRUE(PlanOf(rule, 4, 1).ok());
}

// An overlap just below the room makes a window a token: 512 times the text.
TEST(SequencePlanTest, BoundsTheTokensOfAllWindows) {
  const LengthRule rule = {
      .policy = LengthPolicy::kWindow, .max_tokens = 512, .overlap = 509};
  EXPECT_EQ(InputErrorField(PlanOf(rule, 4000).status()), "inputs[3]");
  EXPECT_TRUE(PlanOf(rule, 1000).ok());

  SequencePlanner planner(GoldenTokenizer("v1"));
  const auto accepts = [&](size_t tokens) {
    return planner.Plan(Tokens(tokens, 100), nullptr, rule, "inputs[7]").ok();
  };
  // 491 windows of 512 tokens each time: the limit is of the request.
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(accepts(1000)) << i;
  EXPECT_FALSE(accepts(1000));
  // What is left is 2^20 - 4 * 491 * 512 tokens: 84 windows of 512.
  EXPECT_FALSE(accepts(510 + 84));
  EXPECT_TRUE(accepts(510 + 83));
  EXPECT_FALSE(accepts(1)) << "nothing is left";
}

// Truncation only_first of the `tokenizers` library: it fails where nothing
// would be left of the first text.
TEST(SequencePlanTest, KeepsTheSecondTextWhole) {
  LengthRule rule = {
      .policy = LengthPolicy::kTruncate, .max_tokens = 9, .keep_second = true};
  const auto cut = PlanOf(rule, 9, 2);
  ASSERT_TRUE(cut.ok()) << cut.status();
  EXPECT_THAT(cut->encodings[0].ids,
              ElementsAre(1, 100, 101, 102, 103, 2, 200, 201, 2));
  EXPECT_EQ(cut->coverage.tokens_total, 14u);
  EXPECT_TRUE(cut->coverage.truncated);
  EXPECT_EQ(PlanOf(rule, 9, 5)->encodings[0].size(), 9u) << "one token is left";
  EXPECT_EQ(InputErrorField(PlanOf(rule, 9, 6).status()), "inputs[3]");
  EXPECT_EQ(InputErrorField(PlanOf(rule, 1, 600).status()), "inputs[3]");

  rule.policy = LengthPolicy::kWindow;
  rule.overlap = 1;
  const auto windows = PlanOf(rule, 6, 2);
  ASSERT_TRUE(windows.ok()) << windows.status();
  ASSERT_EQ(windows->encodings.size(), 2u);
  EXPECT_THAT(windows->encodings[1].ids,
              ElementsAre(1, 103, 104, 105, 2, 200, 201, 2));
  EXPECT_THAT(windows->begins, ElementsAre(0, 3));
  EXPECT_EQ(windows->coverage.tokens_used, 11u);
  EXPECT_EQ(InputErrorField(PlanOf(rule, 9, 6).status()), "inputs[3]");
  rule.overlap = 4;
  EXPECT_EQ(InputErrorField(PlanOf(rule, 9, 2).status()), "stride");
}

// A text beside many short ones repeats itself without bound.
TEST(SequencePlanTest, BoundsTheTokensOfAllPairs) {
  SequencePlanner planner(GoldenTokenizer("v1"));
  const std::vector<tokenizer::TokenSequence> seconds(2047, Tokens(9, 200));
  const LengthRule rule = {.max_tokens = 512};
  // 2,047 pairs of 512 tokens leave 512 of the 2^20.
  const auto plans =
      planner.PlanPairs(Tokens(500, 100), seconds, rule, "inputs[0]");
  ASSERT_TRUE(plans.ok()) << plans.status();
  EXPECT_EQ(plans->size(), 2047u);
  const auto pair = [&](size_t tokens) {
    return planner
        .PlanPairs(Tokens(tokens, 100), std::span(seconds).first(1), rule,
                   "inputs[1]")
        .status();
  };
  EXPECT_TRUE(pair(499).ok());
  EXPECT_EQ(InputErrorField(pair(1)), "inputs[1]");
}

TEST(SequencePlanTest, RemembersTheLongestPair) {
  SequencePlanner planner(GoldenTokenizer("v1"));
  const std::vector<tokenizer::TokenSequence> seconds = {
      Tokens(1, 200), Tokens(4, 200), Tokens(2, 200)};
  const auto plans = planner.PlanPairs(
      Tokens(3, 100), seconds,
      {.policy = LengthPolicy::kWindow, .max_tokens = 8}, "inputs[0]");
  ASSERT_TRUE(plans.ok()) << plans.status();
  std::vector<SequenceInput> sequences;
  const PlannedInput input = AddFirstRows(*plans, &sequences);
  EXPECT_THAT(input.windows, ElementsAre(1, 2, 1));
  EXPECT_EQ(input.coverage.tokens_total, 10u);
  EXPECT_EQ(input.coverage.windows, 2u);
  ASSERT_EQ(sequences.size(), 4u);
  EXPECT_THAT(sequences[3].rows, ElementsAre(0u));
}

TEST(SequencePlanTest, RefusesModelLimitWithoutRoom) {
  EXPECT_FALSE(
      PlanOf({.policy = LengthPolicy::kTruncate, .max_tokens = 2}, 1).ok());
  EXPECT_FALSE(
      PlanOf({.policy = LengthPolicy::kWindow, .max_tokens = 0}, 1).ok());
}

TEST(SequencePlanTest, WindowsOfNoTokensIsTheTemplate) {
  const auto plan =
      PlanOf({.policy = LengthPolicy::kWindow, .max_tokens = 8}, 0);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->encodings.size(), 1u);
  EXPECT_THAT(plan->encodings[0].ids, ElementsAre(1, 2));
}

}  // namespace
}  // namespace deberta::server
