#include "server/tasks/entity_spans.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta::server {
namespace {

using model::LabelHeadKind;
using ::testing::ElementsAre;

// The rule as gliner 0.2.29 writes it, span against span.
std::vector<EntitySpan> SlowChoice(std::vector<EntitySpan> candidates,
                                   const OverlapRule& rule) {
  std::ranges::stable_sort(candidates, std::greater(), &EntitySpan::score);
  std::vector<EntitySpan> chosen;
  const auto clash = [&](const EntitySpan& a, const EntitySpan& b) {
    if (a.first == b.first && a.last == b.last) return !rule.multi_label;
    if (a.first > b.last || b.first > a.last) return false;
    const bool nested = (a.first <= b.first && a.last >= b.last) ||
                        (b.first <= a.first && b.last >= a.last);
    return !(rule.nested && nested);
  };
  for (const EntitySpan& span : candidates) {
    if (std::ranges::none_of(
            chosen, [&](const EntitySpan& b) { return clash(span, b); })) {
      chosen.push_back(span);
    }
  }
  std::ranges::stable_sort(chosen, std::less(), &EntitySpan::first);
  return chosen;
}

TEST(EntitySpansTest, ChoosesAsTheReference) {
  std::mt19937 rng(7);
  const auto draw = [&](uint32_t limit) {
    return static_cast<uint32_t>(rng() % limit);
  };
  for (int round = 0; round < 2000; ++round) {
    std::vector<EntitySpan> candidates;
    const uint32_t words = 1 + draw(12);
    for (uint32_t i = draw(40); i > 0; --i) {
      const uint32_t first = draw(words);
      // Few different scores, so that many are equal.
      candidates.push_back(
          {.first = first,
           .last = first + draw(words - first),
           .label = draw(3),
           .score = 0.5f + 0.05f * static_cast<float>(draw(8))});
    }
    for (const OverlapRule& rule :
         {OverlapRule{false, false}, OverlapRule{false, true},
          OverlapRule{true, false}, OverlapRule{true, true}}) {
      ASSERT_EQ(ChooseSpans(candidates, rule), SlowChoice(candidates, rule))
          << round << rule.nested << rule.multi_label;
    }
  }
}

// Logits that score 0.73 and 0.12.
constexpr float kYes = 1;
constexpr float kNo = -2;

TEST(EntitySpansTest, TokensMakeSpans) {
  SpanCandidates candidates(
      {.kind = LabelHeadKind::kTokens, .thresholds = {0.5f}});
  // Start, end, inside of three words.
  ASSERT_TRUE(candidates
                  .Add(10, 3,
                       std::vector<float>{kYes, kNo, kYes, kNo, kYes, 2, kYes,
                                          kYes, kNo})
                  .ok());
  EXPECT_THAT(candidates.Take(),
              ElementsAre(EntitySpan{10, 11, 0, 0.73105857863f}));
}

TEST(EntitySpansTest, ListedSpansHaveEveryLabel) {
  SpanCandidates candidates({.kind = LabelHeadKind::kTokensAndSpans,
                             .thresholds = {0.5f, 0.1f},
                             .keep_scores = true});
  const std::vector<float> tokens(2 * 2 * 3, kNo);
  std::vector<float> values = tokens;
  values.insert(values.end(), {0, 1, kYes, kNo});
  ASSERT_TRUE(candidates.Add(4, 2, values).ok());
  const std::vector<EntitySpan> spans = candidates.Take();
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0].label, 0u);
  EXPECT_EQ(spans[1].label, 1u);
  EXPECT_EQ(spans[1].first, 4u);
  EXPECT_EQ(spans[1].last, 5u);
  EXPECT_EQ(candidates.Scores(spans[0]).size(), 2u);
  candidates.ForgetScores();
  EXPECT_TRUE(candidates.Scores(spans[0]).empty());

  values[values.size() - 3] = 2;  // past the last word
  EXPECT_TRUE(absl::IsInternal(candidates.Add(4, 2, values)));
  values.pop_back();
  EXPECT_TRUE(absl::IsInternal(candidates.Add(4, 2, values)));
}

TEST(EntitySpansTest, ThresholdsNearTheEndsOfTheSigmoidAreExact) {
  for (const float threshold : {1e-6f, 0.01f, 0.5f, 0.99f, 0.999999f}) {
    for (float logit = -20; logit < 20; logit += 0.01f) {
      SpanCandidates candidates({.kind = LabelHeadKind::kSpans,
                                 .max_span_words = 1,
                                 .thresholds = {threshold}});
      ASSERT_TRUE(candidates.Add(0, 1, std::vector<float>{logit}).ok());
      ASSERT_EQ(candidates.Take().size(),
                1 / (1 + std::exp(-logit)) > threshold ? 1u : 0u)
          << threshold << " " << logit;
    }
  }
}

TEST(EntitySpansTest, HoldsABoundedNumber) {
  SpanCandidates candidates({.kind = LabelHeadKind::kSpans,
                             .max_span_words = 16,
                             .thresholds = {0.5f, 0.5f}});
  const size_t words = 1 << 10;
  const std::vector<float> all(words * 16 * 2, kYes);
  absl::Status status;
  size_t windows = 0;
  for (; status.ok() && windows < 100; ++windows) {
    status = candidates.Add(windows * words, words, all);
  }
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
  EXPECT_LT(windows, 40u);
  EXPECT_LT(candidates.bytes(), SpanCandidates::kMost * 64);
}

}  // namespace
}  // namespace deberta::server
