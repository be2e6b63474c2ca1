#include "server/tasks/zero_shot.h"

#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/tasks/golden_cases.h"
#include "tests/server/tasks/whole_task.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;

class ZeroShotTest : public ::testing::Test {
 protected:
  absl::StatusOr<WholeTask<ZeroShotTask>> Create(ZeroShotRequest request) {
    return Whole(ZeroShotTask::Create(std::move(request),
                                      {.tokenizer = &GoldenTokenizer("v1"),
                                       .config = &config_,
                                       .labels = labels_,
                                       .entailment = entailment_,
                                       .max_tokens = max_tokens_}));
  }

  std::string Blamed(ZeroShotRequest request) {
    return InputErrorField(Create(std::move(request)).status());
  }

  // The results, where a pair's logits are `logits`, one pair after another,
  // the same in all its windows.
  std::vector<ZeroShotResult> Results(
      WholeTask<ZeroShotTask>& task,
      const std::vector<std::vector<float>>& logits) {
    std::vector<SequenceOutput> outputs;
    for (const std::vector<float>& row : logits) {
      outputs.push_back({.values = row, .width = row.size()});
    }
    auto results = task.Finish(outputs);
    EXPECT_TRUE(results.ok()) << results.status();
    return *std::move(results);
  }

  model::Config config_ = [] {
    model::Config config;
    config.vocab_size = 1 << 20;
    return config;
  }();
  std::vector<std::string> labels_ = {"contradiction", "neutral", "Entailment"};
  std::optional<size_t> entailment_ = 2;
  size_t max_tokens_ = 64;
};

std::vector<int32_t> Indices(const ZeroShotResult& result) {
  std::vector<int32_t> indices;
  for (const LabelScore& label : result.labels) indices.push_back(label.index);
  return indices;
}

// Whatever the labels' names: label2id tells, and need not agree with them.
TEST_F(ZeroShotTest, NeedsAnEntailmentColumn) {
  const ZeroShotRequest request = {.inputs = {"a"}, .labels = {"b", "c"}};
  entailment_ = std::nullopt;
  EXPECT_TRUE(absl::IsFailedPrecondition(Create(request).status()));
  labels_ = {"LABEL_0", "LABEL_1", "entailment"};
  entailment_ = 1;
  auto task = Create(request);
  ASSERT_TRUE(task.ok()) << task.status();
  const auto results = Results(*task, {{0, 1, 9}, {0, 2, -9}});
  EXPECT_THAT(Indices(results[0]), ElementsAre(1, 0));
}

TEST_F(ZeroShotTest, BlamesTheFieldThatIsWrong) {
  const std::vector<std::string> inputs = {"a"};
  const std::vector<std::string> labels = {"b"};
  EXPECT_EQ(Blamed({.inputs = inputs, .labels = labels}), "");
  EXPECT_EQ(Blamed({.inputs = {}, .labels = labels}), "inputs");
  EXPECT_EQ(Blamed({.inputs = {"a", ""}, .labels = labels}), "inputs[1]");
  EXPECT_EQ(Blamed({.inputs = {"\xff"}, .labels = labels}), "inputs[0]");
  EXPECT_EQ(Blamed({.inputs = inputs, .labels = {}}), "labels");
  EXPECT_EQ(Blamed({.inputs = inputs, .labels = {"b", ""}}), "labels[1]");
  EXPECT_EQ(Blamed({.inputs = inputs, .labels = {"\xff"}}), "labels[0]");
  EXPECT_EQ(Blamed({.inputs = inputs,
                    .labels = labels,
                    .hypothesis_template = "no place"}),
            "hypothesis_template");
  EXPECT_EQ(Blamed({.inputs = inputs, .labels = labels, .stride = -1}),
            "stride");
  EXPECT_EQ(Blamed({.inputs = inputs, .labels = labels, .prompt = "a"}),
            "prompt");
}

TEST_F(ZeroShotTest, ScoresOneOfTheLabels) {
  auto task = Create({.inputs = {"a", "b"}, .labels = {"x", "y", "z"}});
  ASSERT_TRUE(task.ok()) << task.status();
  ASSERT_EQ(task->sequences().size(), 6u) << "a pair a label and input";
  const auto results = Results(
      *task,
      {{9, 0, 0}, {0, 9, 1}, {0, 0, 0}, {0, 0, 5}, {0, 0, 5}, {0, 0, 6}});
  EXPECT_THAT(Indices(results[0]), ElementsAre(1, 0, 2));
  // e / (e + 1 + 1)
  EXPECT_NEAR(results[0].labels[0].score, 0.576117f, 1e-6);
  EXPECT_EQ(results[0].labels[0].label, "y");
  EXPECT_THAT(Indices(results[1]), ElementsAre(2, 0, 1)) << "ties by index";
}

TEST_F(ZeroShotTest, ScoresEachLabelAgainstContradiction) {
  const ZeroShotRequest request = {
      .inputs = {"a"}, .labels = {"x", "x"}, .multi_label = true};
  auto task = Create(request);
  ASSERT_TRUE(task.ok()) << task.status();
  auto results = Results(*task, {{0, 9, 1}, {0, 9, 3}});
  EXPECT_THAT(Indices(results[0]), ElementsAre(1, 0)) << "labels may be equal";
  // e^3 / (1 + e^3), e / (1 + e)
  EXPECT_NEAR(results[0].labels[0].score, 0.952574f, 1e-6);
  EXPECT_NEAR(results[0].labels[1].score, 0.731059f, 1e-6);

  // Contradiction is the last column where entailment is the first.
  labels_ = {"entailment", "neutral", "contradiction"};
  entailment_ = 0;
  task = Create(request);
  ASSERT_TRUE(task.ok()) << task.status();
  results = Results(*task, {{1, 9, 0}, {3, 9, 0}});
  EXPECT_NEAR(results[0].labels[0].score, 0.952574f, 1e-6);

  // A single label is scored so, asked for or not.
  task = Create({.inputs = {"a"}, .labels = {"x"}});
  ASSERT_TRUE(task.ok()) << task.status();
  results = Results(*task, {{1, 9, 0}});
  EXPECT_NEAR(results[0].labels[0].score, 0.731059f, 1e-6);
}

// The reference's exponentials overflow there, and its scores are NaN.
TEST_F(ZeroShotTest, LargeLogitsHaveScores) {
  const ZeroShotRequest request = {.inputs = {"a"}, .labels = {"x", "y"}};
  auto task = Create(request);
  ASSERT_TRUE(task.ok()) << task.status();
  const auto results = Results(*task, {{0, 0, 500}, {0, 0, 500}});
  EXPECT_EQ(results[0].labels[0].score, 0.5f);
  const auto nan = Create(request)->Finish(std::vector<SequenceOutput>(
      2,
      {.values = {0, 0, std::numeric_limits<float>::quiet_NaN()}, .width = 3}));
  EXPECT_TRUE(absl::IsInternal(nan.status()));
  const auto infinite = task->Finish(std::vector<SequenceOutput>(
      2,
      {.values = {0, 0, std::numeric_limits<float>::infinity()}, .width = 3}));
  EXPECT_TRUE(absl::IsInternal(infinite.status()));
}

TEST_F(ZeroShotTest, TruncatesTheTextAlone) {
  max_tokens_ = 16;
  const std::string text = "!\"#$%&'()*+,-./!\"#$%&'()*+,-./";
  ZeroShotRequest request = {
      .inputs = {text}, .labels = {"!", "!\"#$%"}, .hypothesis_template = "{}"};
  EXPECT_EQ(Blamed(request), "inputs[0]");
  request.length_policy = LengthPolicy::kTruncate;
  auto task = Create(request);
  ASSERT_TRUE(task.ok()) << task.status();
  const tokenizer::Tokenizer* v1 = &GoldenTokenizer("v1");
  for (size_t i = 0; i < 2; ++i) {
    const std::vector<int32_t> hypothesis =
        v1->Tokenize(request.labels[i])->ids;
    const std::vector<int32_t>& ids = task->sequences()[i].ids;
    ASSERT_EQ(ids.size(), 16u);
    EXPECT_TRUE(std::equal(
        hypothesis.begin(), hypothesis.end(),
        ids.end() - 1 - static_cast<std::ptrdiff_t>(hypothesis.size())));
  }
  const Coverage coverage = task->coverage()[0];
  EXPECT_TRUE(coverage.truncated);
  EXPECT_EQ(coverage.tokens_used, 16u);
  EXPECT_EQ(coverage.tokens_total,
            v1->Tokenize(text)->size() + v1->Tokenize("!\"#$%")->size() + 3);
  // A hypothesis that leaves the text no room is never cut.
  request.labels = {text};
  EXPECT_EQ(Blamed(request), "inputs[0]");
}

TEST_F(ZeroShotTest, WindowsTheTextBesideTheWholeHypothesis) {
  max_tokens_ = 12;
  const tokenizer::Tokenizer* v1 = &GoldenTokenizer("v1");
  const std::string text = "QXZJVWQXZJVW";  // one token a character
  auto task = Create({.inputs = {text, "Q"},
                      .labels = {"!", "!\"#"},
                      .hypothesis_template = "{}",
                      .length_policy = LengthPolicy::kWindow,
                      .stride = 2});
  ASSERT_TRUE(task.ok()) << task.status();
  ASSERT_EQ(v1->Tokenize(text)->size(), 12u);
  const size_t hypothesis = v1->Tokenize("!\"#")->size();
  // Rooms of 8 and 9 - hypothesis tokens; the overlap is 2.
  const size_t first = 2;
  const size_t room = 9 - hypothesis;
  const size_t second = (12 - room + room - 3) / (room - 2) + 1;
  ASSERT_EQ(task->sequences().size(), first + second + 2);
  EXPECT_EQ(task->coverage()[0].windows, second);
  EXPECT_EQ(task->coverage()[0].tokens_total, 12 + hypothesis + 3);
  EXPECT_EQ(task->coverage()[0].tokens_used, 12 + hypothesis + 3);
  EXPECT_FALSE(task->coverage()[0].truncated);
  EXPECT_EQ(task->coverage()[1].windows, 1u);

  // The mean of the windows' logits is scored.
  std::vector<std::vector<float>> logits(first + second + 2, {0, 0, 0});
  logits[0] = {0, 0, 2};
  const auto results = Results(*task, logits);
  EXPECT_THAT(Indices(results[0]), ElementsAre(0, 1));
  EXPECT_NEAR(results[0].labels[0].score, 0.731059f, 1e-6) << "e / (1 + e)";
}

// Small requests that ask for much: results repeat labels, and hypotheses
// repeat their template.
TEST_F(ZeroShotTest, BoundsItsWork) {
  max_tokens_ = 512;
  const std::vector<std::string> many(3000, "a");
  EXPECT_EQ(Blamed({.inputs = many, .labels = many}), "labels");
  EXPECT_EQ(Blamed({.inputs = many, .labels = {std::string(1 << 20, 'a')}}),
            "labels");
  std::string places;
  for (int i = 0; i < 1000; ++i) places += "{0}";
  EXPECT_EQ(Blamed({.inputs = {"a"},
                    .labels = {std::string(1 << 20, 'a')},
                    .hypothesis_template = places}),
            "labels");
}

}  // namespace
}  // namespace deberta::server
