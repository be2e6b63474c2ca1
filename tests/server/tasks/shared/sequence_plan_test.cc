#include "server/tasks/shared/sequence_plan.h"

#include <cstdio>
#include <memory>
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

// A plan and what it is of.
struct Planned {
  tokenizer::TokenSequence a;
  tokenizer::TokenSequence b;
  absl::StatusOr<SequencePlan> plan = absl::UnknownError("");

  bool ok() const { return plan.ok(); }
  const absl::Status& status() const { return plan.status(); }
  const SequencePlan* operator->() const { return &*plan; }
};

std::unique_ptr<Planned> PlanOf(
    const LengthRule& rule, size_t a, size_t b = 0,
    const tokenizer::Tokenizer& tokenizer = GoldenTokenizer("v1")) {
  auto planned = std::make_unique<Planned>();
  planned->a = Tokens(a, 100);
  planned->b = Tokens(b, 200);
  planned->plan = SequencePlan::Create(
      tokenizer, planned->a, b == 0 ? nullptr : &planned->b, rule, "inputs[3]");
  return planned;
}

std::vector<int32_t> Ids(const Planned& planned, size_t index) {
  return planned->Encode(index).ids;
}

std::string Blamed(const LengthRule& rule, size_t a, size_t b = 0) {
  return InputErrorField(PlanOf(rule, a, b)->status());
}

// What a text that is refused from its beginning has, of `words` by turns.
void ExpectRefusedRightly(const tokenizer::Tokenizer& tokenizer,
                          const std::vector<std::string>& words, size_t bytes,
                          bool must_refuse) {
  std::string text;
  for (size_t i = 0; text.size() < bytes; ++i) text += words[i % words.size()];
  const LengthRule rule = {.max_tokens = 64};
  const absl::Status early = CheckBeginning(tokenizer, text, rule, "inputs[3]");
  EXPECT_TRUE(!must_refuse || !early.ok()) << words[0];
  if (early.ok()) return;
  EXPECT_EQ(InputErrorField(early), "inputs[3]");
  const auto tokens = tokenizer.Tokenize(text);
  ASSERT_TRUE(tokens.ok());
  const size_t total = tokens->size() + tokenizer.template_tokens(false);
  EXPECT_GT(total, rule.max_tokens);
  size_t told = 0;
  ASSERT_EQ(std::sscanf(std::string(early.message()).c_str(),
                        "inputs[3]: has more than %zu tokens", &told),
            1)
      << early;
  EXPECT_GE(told, rule.max_tokens);
  EXPECT_LT(told, total);
}

// Each was tokenized whole, seconds of it, to be refused.
TEST(SequencePlanTest, ALongTextIsRefusedFromItsBeginningIfItIsCertain) {
  for (const char* name : {"v1", "v3"}) {
    const tokenizer::Tokenizer& tokenizer = GoldenTokenizer(name);
    constexpr size_t kBytes = 400'000;
    ExpectRefusedRightly(tokenizer, {"The ", "quick ", "fox. "}, kBytes, true);
    ExpectRefusedRightly(tokenizer, {"na\u00efve ", "x\n", "1 "}, kBytes, true);
    ExpectRefusedRightly(tokenizer, {"a "}, kBytes, true);
    // Words far apart, none, or of what the vocabulary does not have.
    ExpectRefusedRightly(tokenizer, {"a", std::string(2000, ' ')}, kBytes,
                         false);
    ExpectRefusedRightly(tokenizer, {" "}, kBytes, false);
    ExpectRefusedRightly(tokenizer, {"a"}, kBytes, false);
    ExpectRefusedRightly(tokenizer, {"\U0001F600"}, kBytes, false);
    ExpectRefusedRightly(tokenizer, {"\U0001F600 b "}, kBytes, true);
    ExpectRefusedRightly(tokenizer, {"[SEP] a ", "[MASK]"}, kBytes, true);
    // What is not refused whole is not refused early.
    for (const LengthPolicy policy :
         {LengthPolicy::kTruncate, LengthPolicy::kWindow}) {
      EXPECT_TRUE(CheckBeginning(tokenizer, std::string(kBytes, 'a') + " b",
                                 {.policy = policy, .max_tokens = 64}, "f")
                      .ok());
    }
  }
}

TEST(SequencePlanTest, TakesWhatFitsWhole) {
  for (const LengthPolicy policy :
       {LengthPolicy::kReject, LengthPolicy::kTruncate,
        LengthPolicy::kWindow}) {
    const auto plan = PlanOf({.policy = policy, .max_tokens = 6}, 4);
    ASSERT_TRUE(plan->ok()) << plan->status();
    ASSERT_EQ((*plan)->size(), 1u);
    EXPECT_THAT(Ids(*plan, 0), ElementsAre(1, 100, 101, 102, 103, 2));
    EXPECT_EQ((*plan)->longest(), 6u);
    const Coverage& coverage = (*plan)->coverage();
    EXPECT_EQ(coverage.tokens_total, 6u);
    EXPECT_EQ(coverage.tokens_used, 6u);
    EXPECT_EQ(coverage.windows, 1u);
    EXPECT_FALSE(coverage.truncated);
  }
}

TEST(SequencePlanTest, RejectionStatesTokensAndLimit) {
  const auto plan = PlanOf({.max_tokens = 6}, 2, 2);
  ASSERT_FALSE(plan->ok());
  EXPECT_EQ(InputErrorField(plan->status()), "inputs[3]");
  EXPECT_THAT(std::string(plan->status().message()),
              ::testing::AllOf(HasSubstr("7 tokens"), HasSubstr("limit is 6")));
}

TEST(SequencePlanTest, TruncatesLongestFirst) {
  const LengthRule rule = {.policy = LengthPolicy::kTruncate, .max_tokens = 9};
  const auto plan = PlanOf(rule, 2, 9);
  ASSERT_TRUE(plan->ok()) << plan->status();
  EXPECT_THAT(Ids(*plan, 0),
              ElementsAre(1, 100, 101, 2, 200, 201, 202, 203, 2));
  EXPECT_THAT((*plan)->Encode(0).type_ids,
              ElementsAre(0, 0, 0, 0, 1, 1, 1, 1, 1));
  EXPECT_EQ((*plan)->longest(), 9u);
  EXPECT_EQ((*plan)->coverage().tokens_total, 14u);
  EXPECT_EQ((*plan)->coverage().tokens_used, 9u);
  EXPECT_TRUE((*plan)->coverage().truncated);

  const auto single = PlanOf(rule, 10);
  ASSERT_TRUE(single->ok()) << single->status();
  EXPECT_EQ((*single)->Encode(0).size(), 9u);
  EXPECT_EQ((*single)->coverage().tokens_total, 12u);
}

TEST(SequencePlanTest, WindowsTheOnlyText) {
  const auto plan = PlanOf(
      {.policy = LengthPolicy::kWindow, .max_tokens = 6, .overlap = 1}, 8);
  ASSERT_TRUE(plan->ok()) << plan->status();
  ASSERT_EQ((*plan)->size(), 3u);
  EXPECT_THAT(Ids(*plan, 0), ElementsAre(1, 100, 101, 102, 103, 2));
  EXPECT_THAT(Ids(*plan, 1), ElementsAre(1, 103, 104, 105, 106, 2));
  EXPECT_THAT(Ids(*plan, 2), ElementsAre(1, 106, 107, 2));
  EXPECT_EQ((*plan)->window(1), tokenizer::TokenRange(3, 7));
  EXPECT_EQ((*plan)->longest(), 6u);
  EXPECT_EQ((*plan)->longest_text(), 4u);
  EXPECT_EQ((*plan)->coverage().tokens_total, 10u);
  EXPECT_EQ((*plan)->coverage().tokens_used, 10u);
  EXPECT_EQ((*plan)->coverage().windows, 3u);
  EXPECT_FALSE((*plan)->coverage().truncated);
}

TEST(SequencePlanTest, WindowsTheSecondTextWithTheFirstWhole) {
  const auto plan =
      PlanOf({.policy = LengthPolicy::kWindow, .max_tokens = 7}, 2, 3);
  ASSERT_TRUE(plan->ok()) << plan->status();
  ASSERT_EQ((*plan)->size(), 2u);
  EXPECT_THAT(Ids(*plan, 0), ElementsAre(1, 100, 101, 2, 200, 201, 2));
  EXPECT_THAT(Ids(*plan, 1), ElementsAre(1, 100, 101, 2, 202, 2));
  EXPECT_EQ((*plan)->coverage().tokens_total, 8u);
}

TEST(SequencePlanTest, RefusesOverlapThatFillsTheRoom) {
  LengthRule rule = {.policy = LengthPolicy::kWindow, .max_tokens = 8};
  rule.overlap = 6;  // room of a single text: 8 - 2
  EXPECT_EQ(Blamed(rule, 3), "stride");
  rule.overlap = 5;
  EXPECT_EQ(Blamed(rule, 30), "");
  // Room beside two tokens of a first text: 8 - 3 - 2.
  rule.overlap = 3;
  EXPECT_EQ(Blamed(rule, 2, 3), "stride");
  rule.overlap = 2;
  EXPECT_EQ(Blamed(rule, 2, 30), "");
}

TEST(SequencePlanTest, RefusesFirstTextThatLeavesNoRoom) {
  const LengthRule rule = {.policy = LengthPolicy::kWindow, .max_tokens = 8};
  EXPECT_EQ(Blamed(rule, 5, 1), "inputs[3]");
  EXPECT_EQ(Blamed(rule, 4, 1), "");
}

// Truncation only_first of the `tokenizers` library: it fails where nothing
// would be left of the first text.
TEST(SequencePlanTest, KeepsTheSecondTextWhole) {
  LengthRule rule = {
      .policy = LengthPolicy::kTruncate, .max_tokens = 9, .keep_second = true};
  const auto cut = PlanOf(rule, 9, 2);
  ASSERT_TRUE(cut->ok()) << cut->status();
  EXPECT_THAT(Ids(*cut, 0), ElementsAre(1, 100, 101, 102, 103, 2, 200, 201, 2));
  EXPECT_EQ((*cut)->coverage().tokens_total, 14u);
  EXPECT_TRUE((*cut)->coverage().truncated);
  EXPECT_EQ(Ids(*PlanOf(rule, 9, 5), 0).size(), 9u) << "one token is left";
  EXPECT_EQ(Blamed(rule, 9, 6), "inputs[3]");
  EXPECT_EQ(Blamed(rule, 1, 600), "inputs[3]");

  rule.policy = LengthPolicy::kWindow;
  rule.overlap = 1;
  const auto windows = PlanOf(rule, 6, 2);
  ASSERT_TRUE(windows->ok()) << windows->status();
  ASSERT_EQ((*windows)->size(), 2u);
  EXPECT_THAT(Ids(*windows, 1), ElementsAre(1, 103, 104, 105, 2, 200, 201, 2));
  EXPECT_EQ((*windows)->window(1).first, 3u);
  EXPECT_EQ((*windows)->coverage().tokens_used, 11u);
  EXPECT_EQ(Blamed(rule, 9, 6), "inputs[3]");
  rule.overlap = 4;
  EXPECT_EQ(Blamed(rule, 9, 2), "stride");
}

// tokenizers 0.22.2 with direction="left".
TEST(SequencePlanTest, CutsFromTheLeftWhereTheTokenizerDoes) {
  const tokenizer::Tokenizer& left =
      GoldenTokenizer("v1", {.truncation_side = "left"});
  LengthRule rule = {.policy = LengthPolicy::kTruncate, .max_tokens = 9};
  EXPECT_THAT(Ids(*PlanOf(rule, 9, 0, left), 0),
              ElementsAre(1, 102, 103, 104, 105, 106, 107, 108, 2));
  EXPECT_THAT(Ids(*PlanOf(rule, 2, 9, left), 0),
              ElementsAre(1, 100, 101, 2, 205, 206, 207, 208, 2));
  rule.keep_second = true;
  EXPECT_THAT(Ids(*PlanOf(rule, 9, 2, left), 0),
              ElementsAre(1, 105, 106, 107, 108, 2, 200, 201, 2));

  // Windows end where the text ends; the first is the shorter one.
  const auto windows =
      PlanOf({.policy = LengthPolicy::kWindow, .max_tokens = 6, .overlap = 1},
             8, 0, left);
  ASSERT_EQ((*windows)->size(), 3u);
  EXPECT_THAT(Ids(*windows, 0), ElementsAre(1, 100, 101, 2));
  EXPECT_THAT(Ids(*windows, 1), ElementsAre(1, 101, 102, 103, 104, 2));
  EXPECT_THAT(Ids(*windows, 2), ElementsAre(1, 104, 105, 106, 107, 2));
}

// An overlap just below the room makes a window a token: nothing is kept of
// them, however many they are.
TEST(SequencePlanTest, AnyNumberOfWindowsIsPlannedAtOnce) {
  const auto plan = PlanOf(
      {.policy = LengthPolicy::kWindow, .max_tokens = 512, .overlap = 509},
      3'000'000);
  ASSERT_TRUE(plan->ok()) << plan->status();
  EXPECT_EQ((*plan)->size(), 3'000'000u - 509);
  const std::vector<int32_t> last = Ids(*plan, (*plan)->size() - 1);
  ASSERT_EQ(last.size(), 512u);
  EXPECT_EQ(last[510], 100 + 2'999'999);
}

TEST(SequencePlanTest, RefusesModelLimitWithoutRoom) {
  EXPECT_NE(Blamed({.policy = LengthPolicy::kTruncate, .max_tokens = 2}, 1),
            "");
  EXPECT_NE(Blamed({.policy = LengthPolicy::kWindow, .max_tokens = 0}, 1), "");
}

TEST(SequencePlanTest, WindowsOfNoTokensIsTheTemplate) {
  const auto plan =
      PlanOf({.policy = LengthPolicy::kWindow, .max_tokens = 8}, 0);
  ASSERT_TRUE(plan->ok()) << plan->status();
  ASSERT_EQ((*plan)->size(), 1u);
  EXPECT_THAT(Ids(*plan, 0), ElementsAre(1, 2));
}

}  // namespace
}  // namespace deberta::server
