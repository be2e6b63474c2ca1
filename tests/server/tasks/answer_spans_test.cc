#include "server/tasks/answer_spans.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int32_t kCls = 1;

// [CLS] q [SEP] and five context tokens of "ab cd Ab": the words "ab", " cd",
// and " Ab" of two tokens each but the second.
tokenizer::Encoding Window() {
  return {.ids = {kCls, 9, 2, 10, 11, 12, 13, 14, 2},
          .type_ids = {0, 0, 0, 1, 1, 1, 1, 1, 1},
          .special_tokens_mask = {1, 0, 1, 0, 0, 0, 0, 0, 1},
          .offsets = {{0, 0},
                      {0, 1},
                      {0, 0},
                      {0, 1},
                      {1, 2},
                      {2, 5},
                      {5, 7},
                      {7, 8},
                      {0, 0}},
          .sequence_ids = {-1, 0, -1, 1, 1, 1, 1, 1, -1},
          .words = {-1, 0, -1, 0, 0, 1, 2, 2, -1}};
}

constexpr std::string_view kContextText = "ab cd Ab";

// Logits low everywhere but at (position, column): value.
struct Peak {
  size_t position;
  size_t column;
  float value;
};

std::vector<float> Logits(const std::vector<Peak>& peaks) {
  std::vector<float> logits(18, -50.0f);
  for (const Peak& peak : peaks) {
    logits[2 * peak.position + peak.column] = peak.value;
  }
  return logits;
}

std::vector<std::string> Texts(const std::vector<AnswerSpan>& answers) {
  std::vector<std::string> texts;
  for (const AnswerSpan& answer : answers) {
    texts.push_back(
        answer.no_answer
            ? "-"
            : std::string(kContextText.substr(
                  answer.span.start, answer.span.end - answer.span.start)));
  }
  return texts;
}

std::vector<AnswerSpan> Pipeline(const tokenizer::Encoding& encoding,
                                 const std::vector<std::vector<float>>& logits,
                                 const AnswerRule& rule,
                                 std::string_view text = kContextText) {
  const tokenizer::TextIndex context(text);
  PipelineAnswers answers(&context, rule);
  for (const std::vector<float>& values : logits) {
    answers.Add({&encoding, values});
  }
  return std::move(answers).Best();
}

std::vector<AnswerSpan> Pipeline(const std::vector<std::vector<float>>& logits,
                                 const AnswerRule& rule) {
  return Pipeline(Window(), logits, rule);
}

std::vector<AnswerSpan> Squad(const tokenizer::Encoding& encoding,
                              const std::vector<std::vector<float>>& logits,
                              const AnswerRule& rule) {
  SquadV2Answers answers(rule);
  for (const std::vector<float>& values : logits) {
    answers.Add({&encoding, values});
  }
  return std::move(answers).Best();
}

std::vector<AnswerSpan> Squad(const std::vector<std::vector<float>>& logits,
                              const AnswerRule& rule) {
  return Squad(Window(), logits, rule);
}

TEST(PipelineAnswersTest, ExtendsToWholeWords) {
  const std::vector<float> logits = Logits({{4, 0, 5}, {6, 1, 5}});
  AnswerRule rule = {.cls_id = kCls};
  EXPECT_THAT(Texts(Pipeline({logits}, rule)), ElementsAre("ab cd Ab"));
  rule.align_to_words = false;
  EXPECT_THAT(Texts(Pipeline({logits}, rule)), ElementsAre("b cd A"));
}

TEST(PipelineAnswersTest, SumsTheScoresOfEqualText) {
  // Both windows answer "ab"; the second also with a capital letter.
  const std::vector<float> first = Logits({{3, 0, 5}, {4, 1, 5}});
  const AnswerRule rule = {.top_k = 9, .align_to_words = false, .cls_id = kCls};
  const std::vector<AnswerSpan> answers = Pipeline({first, first}, rule);
  ASSERT_FALSE(answers.empty());
  EXPECT_EQ(Texts(answers)[0], "ab");
  EXPECT_NEAR(answers[0].score, 2.0, 1e-5);
}

TEST(PipelineAnswersTest, EqualTextIgnoresCase) {
  const std::vector<float> logits =
      Logits({{3, 0, 5}, {3, 1, 5}, {6, 0, 5}, {6, 1, 5}});
  const AnswerRule rule = {.top_k = 9,
                           .max_answer_tokens = 1,
                           .align_to_words = false,
                           .cls_id = kCls};
  // "a" is at (0, 1); " A" at (5, 7) differs by its space.
  EXPECT_THAT(Texts(Pipeline({logits}, rule)),
              ::testing::IsSupersetOf({"a", " A"}));
  tokenizer::Encoding encoding = Window();
  encoding.offsets[6] = {6, 7};
  const std::vector<AnswerSpan> merged = Pipeline(encoding, {logits}, rule);
  EXPECT_EQ(Texts(merged)[0], "a");
  // One half of start and end each: two cells of 1/4.
  EXPECT_NEAR(merged[0].score, 0.5, 1e-5);
}

TEST(PipelineAnswersTest, QuestionAndTemplateAreNoAnswers) {
  const std::vector<float> logits =
      Logits({{1, 0, 50}, {1, 1, 50}, {8, 1, 50}, {5, 0, 1}, {5, 1, 1}});
  const std::vector<AnswerSpan> answers =
      Pipeline({logits}, {.align_to_words = false, .cls_id = kCls});
  EXPECT_THAT(Texts(answers), ElementsAre(" cd"));
  EXPECT_NEAR(answers[0].score, 1.0, 1e-5);
}

TEST(PipelineAnswersTest, ProbabilityOfClsLowersScoresEvenWithoutOption) {
  const std::vector<float> logits =
      Logits({{0, 0, 1}, {0, 1, 1}, {5, 0, 1}, {5, 1, 1}});
  AnswerRule rule = {.top_k = 2, .cls_id = kCls};
  const std::vector<AnswerSpan> answers = Pipeline({logits}, rule);
  EXPECT_EQ(Texts(answers)[0], " cd");
  EXPECT_NEAR(answers[0].score, 0.25, 1e-5);
  rule.handle_impossible_answer = true;
  const std::vector<AnswerSpan> with_null = Pipeline({logits}, rule);
  EXPECT_THAT(Texts(with_null), ElementsAre(" cd", "-"));
  EXPECT_NEAR(with_null[1].score, 0.25, 1e-5);
}

TEST(PipelineAnswersTest, NullScoreIsTheLeastOfTheWindows) {
  const std::vector<float> sure = Logits({{0, 0, 9}, {0, 1, 9}});
  const std::vector<float> unsure = Logits({{5, 0, 9}, {5, 1, 9}});
  const std::vector<AnswerSpan> answers = Pipeline(
      {sure, unsure}, {.handle_impossible_answer = true, .cls_id = kCls});
  EXPECT_THAT(Texts(answers), ElementsAre(" cd"));
}

TEST(PipelineAnswersTest, DropsCellsOfScoreZero) {
  std::vector<float> logits = Logits({{0, 0, 200}, {0, 1, 200}});
  const AnswerRule rule = {.top_k = 50, .cls_id = kCls};
  EXPECT_THAT(Pipeline({logits}, rule), IsEmpty());
}

// "[CLS]" typed into the question takes part in the softmax, as the reference
// has it, but its place is not in the context.
TEST(PipelineAnswersTest, TypedClsOfTheQuestionIsNoAnswer) {
  tokenizer::Encoding encoding = Window();
  encoding.ids[1] = kCls;
  const std::vector<float> logits =
      Logits({{1, 0, 5}, {1, 1, 5}, {5, 0, 5}, {5, 1, 5}});
  const std::vector<AnswerSpan> answers =
      Pipeline(encoding, {logits}, {.top_k = 5, .cls_id = kCls});
  ASSERT_FALSE(answers.empty());
  EXPECT_EQ(Texts(answers)[0], " cd");
  EXPECT_NEAR(answers[0].score, 0.25, 1e-5);
}

TEST(PipelineAnswersTest, AnswersAreAtMostSoLong) {
  const std::vector<float> logits = Logits({{3, 0, 5}, {7, 1, 5}, {4, 1, 1}});
  AnswerRule rule = {
      .max_answer_tokens = 5, .align_to_words = false, .cls_id = kCls};
  EXPECT_THAT(Texts(Pipeline({logits}, rule)), ElementsAre("ab cd Ab"));
  rule.max_answer_tokens = 4;
  EXPECT_THAT(Texts(Pipeline({logits}, rule)), ElementsAre("ab"));
}

// [CLS] five context tokens [SEP] q q [SEP]: the context of Window() first.
tokenizer::Encoding ContextFirst() {
  return {.ids = {kCls, 10, 11, 12, 13, 14, 2, 8, 9, 2},
          .type_ids = {0, 0, 0, 0, 0, 0, 0, 1, 1, 1},
          .special_tokens_mask = {1, 0, 0, 0, 0, 0, 1, 0, 0, 1},
          .offsets = {{0, 0},
                      {0, 1},
                      {1, 2},
                      {2, 5},
                      {5, 7},
                      {7, 8},
                      {0, 0},
                      {0, 3},
                      {3, 99},
                      {0, 0}},
          .sequence_ids = {-1, 0, 0, 0, 0, 0, -1, 1, 1, -1},
          .words = {-1, 0, 0, 1, 2, 2, -1, 1, 7, -1}};
}

// The reference masks nothing then: its p_mask is 0 for every token.
TEST(PipelineAnswersTest, WithTheContextFirstAnyTokenAnswers) {
  AnswerRule rule = {.cls_id = kCls, .context_first = true};
  const auto answer = [&](uint32_t start, uint32_t end) {
    std::vector<float> logits(20, -50.0f);
    logits[2 * start] = logits[2 * end + 1] = 5;
    return Pipeline(ContextFirst(), {logits}, rule).at(0).span;
  };
  using tokenizer::Span;
  EXPECT_EQ(answer(2, 3), (Span{0, 5}));
  // The question's word 1 is taken for the context's.
  EXPECT_EQ(answer(7, 7), (Span{2, 5}));
  EXPECT_EQ(answer(5, 7), (Span{5, 5})) << "from word 2 to word 1";
  // The context has no word 7: the question's offsets, within the context.
  EXPECT_EQ(answer(7, 8), (Span{0, 8}));
  EXPECT_EQ(answer(6, 6), (Span{0, 0})) << "[SEP] has none either";
  rule.align_to_words = false;
  EXPECT_EQ(answer(2, 3), (Span{1, 5}));
}

TEST(SquadV2AnswersTest, WithTheContextFirstOnlyItAnswers) {
  std::vector<float> logits(20, -50.0f);
  logits[2 * 7] = logits[2 * 7 + 1] = 9;  // the question's
  logits[2 * 3] = logits[2 * 3 + 1] = 5;
  EXPECT_THAT(Texts(Squad(ContextFirst(), {logits},
                          {.cls_id = kCls, .context_first = true})),
              ElementsAre(" cd"));
}

TEST(SquadV2AnswersTest, ThresholdDecidesForNoAnswer) {
  // Sums: 4 for " cd", 6 for "no answer".
  const std::vector<float> logits =
      Logits({{0, 0, 3}, {0, 1, 3}, {5, 0, 2}, {5, 1, 2}});
  AnswerRule rule = {.top_k = 2, .cls_id = kCls};
  EXPECT_THAT(Texts(Squad({logits}, rule)), ElementsAre("-", " cd"));
  rule.null_threshold = 2.5f;
  const std::vector<AnswerSpan> answers = Squad({logits}, rule);
  EXPECT_THAT(Texts(answers), ElementsAre(" cd", "-"));
  // softmax(4, 6): the choice changes the order, not the scores.
  EXPECT_NEAR(answers[0].score, 0.1192, 1e-4);
  EXPECT_NEAR(answers[1].score, 0.8808, 1e-4);
  // The difference must exceed the threshold.
  rule.null_threshold = 2.0f;
  EXPECT_THAT(Texts(Squad({logits}, rule)), ElementsAre(" cd", "-"));
}

TEST(SquadV2AnswersTest, NoAnswerNeedsEveryWindow) {
  const std::vector<float> sure = Logits({{0, 0, 9}, {0, 1, 9}});
  const std::vector<float> unsure = Logits({{5, 0, 1}, {5, 1, 1}});
  const AnswerRule rule = {.cls_id = kCls};
  EXPECT_THAT(Texts(Squad({sure, sure}, rule)), ElementsAre("-"));
  EXPECT_THAT(Texts(Squad({sure, unsure}, rule)), ElementsAre(" cd"));
  EXPECT_THAT(Texts(Squad({unsure, sure}, rule)), ElementsAre(" cd"));
}

TEST(SquadV2AnswersTest, ContextWithoutTokensHasNoAnswer) {
  tokenizer::Encoding encoding = {.ids = {kCls, 9, 2, 2},
                                  .type_ids = {0, 0, 0, 1},
                                  .special_tokens_mask = {1, 0, 1, 1},
                                  .offsets = {{0, 0}, {0, 1}, {0, 0}, {0, 0}},
                                  .sequence_ids = {-1, 0, -1, -1},
                                  .words = {-1, 0, -1, -1}};
  const std::vector<float> logits(8, 1.0f);
  EXPECT_THAT(Texts(Squad(encoding, {logits}, {.cls_id = kCls})),
              ElementsAre("-"));
  EXPECT_THAT(Pipeline(encoding, {logits}, {.cls_id = kCls}, ""), IsEmpty());
}

}  // namespace
}  // namespace deberta::server
