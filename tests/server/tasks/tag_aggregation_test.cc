#include "server/tasks/tag_aggregation.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<std::string> kLabels = {"O", "B-PER", "I-PER", "B-LOC",
                                          "MISC-X"};

// Probabilities with `score` for one label and nothing for the others.
std::vector<float> Only(size_t label, float score) {
  std::vector<float> scores(kLabels.size());
  scores[label] = score;
  return scores;
}

struct Token {
  std::vector<float> scores;
  bool is_subword = false;
};

// "label start-end" of the spans of one-character tokens.
std::vector<std::string> Aggregated(const std::vector<Token>& tokens,
                                    Aggregation aggregation,
                                    std::vector<float>* scores = nullptr) {
  std::vector<TaggedToken> tagged;
  for (uint32_t i = 0; i < tokens.size(); ++i) {
    tagged.push_back({.scores = tokens[i].scores,
                      .span = {i, i + 1},
                      .is_subword = tokens[i].is_subword,
                      .token_index = i + 1});
  }
  std::vector<std::string> out;
  for (const TaggedSpan& span : AggregateTags(tagged, aggregation, kLabels)) {
    out.push_back(span.label + " " + std::to_string(span.span.start) + "-" +
                  std::to_string(span.span.end));
    if (scores != nullptr) scores->push_back(span.score);
  }
  return out;
}

TEST(AggregateTagsTest, NoneKeepsTokensAndWholeLabels) {
  EXPECT_THAT(Aggregated({{Only(1, .5f)}, {Only(2, .5f)}}, Aggregation::kNone),
              ElementsAre("B-PER 0-1", "I-PER 1-2"));
}

TEST(AggregateTagsTest, NothingMakesNothing) {
  for (const Aggregation aggregation :
       {Aggregation::kNone, Aggregation::kSimple, Aggregation::kAverage}) {
    EXPECT_THAT(Aggregated({}, aggregation), IsEmpty());
  }
}

TEST(AggregateTagsTest, GroupsUntilNextBeginOrOtherType) {
  std::vector<float> scores;
  EXPECT_THAT(Aggregated({{Only(1, .5f)},
                          {Only(2, 1)},
                          {Only(1, 1)},
                          {Only(2, 1)},
                          {Only(0, 1)},
                          {Only(0, 1)},
                          {Only(3, 1)}},
                         Aggregation::kSimple, &scores),
              ElementsAre("PER 0-2", "PER 2-4", "O 4-6", "LOC 6-7"));
  EXPECT_FLOAT_EQ(scores[0], 0.75f);
}

TEST(AggregateTagsTest, ContinuationWithoutBeginMakesGroup) {
  EXPECT_THAT(Aggregated({{Only(2, 1)}, {Only(2, 1)}}, Aggregation::kSimple),
              ElementsAre("PER 0-2"));
}

// The reference names a group by what follows the first "-", prefix or not.
TEST(AggregateTagsTest, GroupNameFollowsFirstDash) {
  EXPECT_THAT(Aggregated({{Only(4, 1)}, {Only(4, 1)}}, Aggregation::kSimple),
              ElementsAre("X 0-2"));
}

TEST(AggregateTagsTest, WordTakesLabelOfFirstBestOrMean) {
  const std::vector<Token> word = {{{0, .4f, 0, .3f, 0}},
                                   {{.1f, 0, 0, .9f, 0}, true},
                                   {{.8f, .1f, 0, 0, 0}, true}};
  std::vector<float> scores;
  EXPECT_THAT(Aggregated(word, Aggregation::kFirst, &scores),
              ElementsAre("PER 0-3"));
  EXPECT_THAT(Aggregated(word, Aggregation::kMax, &scores),
              ElementsAre("LOC 0-3"));
  EXPECT_THAT(Aggregated(word, Aggregation::kAverage, &scores),
              ElementsAre("LOC 0-3"));
  EXPECT_THAT(scores, ElementsAre(.4f, .9f, ::testing::FloatEq(.4f)));
}

TEST(AggregateTagsTest, MaxPrefersEarlierTokenOnTie) {
  EXPECT_THAT(
      Aggregated({{Only(3, .5f)}, {Only(1, .5f), true}}, Aggregation::kMax),
      ElementsAre("LOC 0-2"));
}

TEST(AggregateTagsTest, SubwordAtStartBeginsWord) {
  EXPECT_THAT(
      Aggregated({{Only(3, 1), true}, {Only(0, 1), true}}, Aggregation::kFirst),
      ElementsAre("LOC 0-2"));
}

}  // namespace
}  // namespace deberta::server
