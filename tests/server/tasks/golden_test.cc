// Every task against the transformers 4.57.1 pipelines, end to end from text.

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/tasks/answer_question.h"
#include "server/tasks/classify.h"
#include "server/tasks/fill_mask.h"
#include "server/tasks/tag_tokens.h"
#include "server/tasks/tokenize.h"
#include "server/tasks/zero_shot.h"
#include "tests/server/tasks/golden_cases.h"
#include "tests/server/tasks/whole_task.h"

namespace deberta::server {
namespace {

using nlohmann::json;

std::vector<std::string> Strings(const json& list) {
  return list.get<std::vector<std::string>>();
}

// The cases of a task, and those of tokenizers that pad or cut on the left.
std::vector<json> CasesOfBothSides(const std::string& task) {
  std::vector<json> cases = GoldenCases(task);
  const std::vector<json> left = GoldenCases("left_" + task);
  EXPECT_GE(left.size(), 30u);
  cases.insert(cases.end(), left.begin(), left.end());
  return cases;
}

// A model view of a case; `config` is filled and must outlive it.
TaskModel ModelOf(const json& c, size_t max_tokens, model::Config* config) {
  if (c.contains("labels")) config->labels = Strings(c["labels"]);
  config->vocab_size =
      c.value("vocab_size",
              GoldenTokenizer(c["tokenizer"].get<std::string>()).vocab_size());
  return {.tokenizer = &GoldenTokenizer(
              c["tokenizer"].get<std::string>(),
              {.padding_side = c.value("padding_side", "right"),
               .truncation_side = c.value("truncation_side", "right")}),
          .config = config,
          .labels = config->labels,
          .entailment = c.contains("entailment")
                            ? std::optional<size_t>(c["entailment"])
                            : std::nullopt,
          .max_tokens = max_tokens};
}

// Where a result says it stands.
struct Located {
  std::string text;
  uint32_t start;
  uint32_t end;
};

template <typename T>
Located Of(const T& result) {
  return {result.text, result.start, result.end};
}

// `expected` is what location() of the script gives, from index `first`.
void ExpectLocation(const json& expected, size_t first, bool raw,
                    const Located& got) {
  const size_t start = first + (raw ? 0 : 2);
  EXPECT_EQ(got.start, expected[start].get<uint32_t>());
  EXPECT_EQ(got.end, expected[start + 1].get<uint32_t>());
  if (!raw) {
    EXPECT_EQ(got.text, expected[first + 4].get<std::string>());
  }
}

void ExpectScore(float got, const json& expected) {
  const double score = expected;
  EXPECT_NEAR(got, score, ScoreTolerance(score));
}

// `expected` holds index and score of each label, best first.
void ExpectLabels(const json& expected, std::span<const std::string> names,
                  const std::vector<LabelScore>& labels) {
  ASSERT_EQ(labels.size(), expected.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    const size_t index = expected[i][0];
    EXPECT_EQ(labels[i].index, static_cast<int32_t>(index));
    EXPECT_EQ(labels[i].label, names[index]);
    ExpectScore(labels[i].score, expected[i][1]);
  }
}

TEST(GoldenTest, ClassifyEqualsPipeline) {
  const std::vector<json> cases = CasesOfBothSides("classify");
  ASSERT_GE(cases.size(), 300u);
  const std::map<std::string, ClassifyRequest::Function> functions = {
      {"", ClassifyRequest::Function::kPipeline},
      {"softmax", ClassifyRequest::Function::kSoftmax},
      {"sigmoid", ClassifyRequest::Function::kSigmoid},
      {"none", ClassifyRequest::Function::kNone}};
  const std::map<std::string, model::ProblemType> problems = {
      {"", model::ProblemType::kUnset},
      {"regression", model::ProblemType::kRegression},
      {"single_label_classification", model::ProblemType::kSingleLabel},
      {"multi_label_classification", model::ProblemType::kMultiLabel}};
  for (const json& c : cases) {
    SCOPED_TRACE(c.dump());
    model::Config config;
    config.problem_type = problems.at(c["problem_type"]);
    const TaskModel model = ModelOf(c, c["max_tokens"], &config);
    auto task = Whole(ClassifyTask::Create(
        {.inputs = {{.text = c["text"], .text_pair = c["pair"]}},
         .function = functions.at(c["function"]),
         .top_k = c["top_k"],
         .length_policy = LengthPolicy::kTruncate},
        model));
    ASSERT_TRUE(task.ok()) << task.status();
    ASSERT_EQ(json(Digests(task->sequences())), c["sequences"]);
    const auto results = task->Finish(FakeOutputs(
        task->sequences(),
        {.seed = c["seed"], .width = config.labels.size(), .scale = 0.5f}));
    ASSERT_TRUE(results.ok()) << results.status();
    ExpectLabels(c["results"], config.labels, (*results)[0].labels);
  }
}

TEST(GoldenTest, ZeroShotEqualsPipeline) {
  const std::vector<json> cases = CasesOfBothSides("zero_shot");
  ASSERT_GE(cases.size(), 400u);
  for (const json& c : cases) {
    SCOPED_TRACE(c.dump());
    model::Config config;
    const TaskModel model = ModelOf(c, c["max_tokens"], &config);
    auto task =
        Whole(ZeroShotTask::Create({.inputs = {c["text"]},
                                    .labels = Strings(c["candidates"]),
                                    .hypothesis_template = c["template"],
                                    .multi_label = c["multi_label"],
                                    .length_policy = LengthPolicy::kTruncate},
                                   model));
    ASSERT_TRUE(task.ok()) << task.status();
    ASSERT_EQ(json(Digests(task->sequences())), c["sequences"]);
    const auto results = task->Finish(FakeOutputs(
        task->sequences(),
        {.seed = c["seed"], .width = config.labels.size(), .scale = 0.5f}));
    ASSERT_TRUE(results.ok()) << results.status();
    ExpectLabels(c["results"], Strings(c["candidates"]), (*results)[0].labels);
  }
}

TEST(GoldenTest, MultipleChoiceEqualsModelClass) {
  const std::vector<json> cases = CasesOfBothSides("choose");
  ASSERT_GE(cases.size(), 100u);
  for (const json& c : cases) {
    SCOPED_TRACE(c.dump());
    model::Config config;
    TaskModel model = ModelOf(c, c["max_tokens"], &config);
    model.multiple_choice = true;
    auto task = Whole(ClassifyTask::Create(
        {.inputs = {{.text = c["text"], .choices = Strings(c["choices"])}},
         .return_logits = true,
         .length_policy = LengthPolicy::kTruncate},
        model));
    ASSERT_TRUE(task.ok()) << task.status();
    ASSERT_EQ(json(Digests(task->sequences())), c["sequences"]);
    const auto results = task->Finish(FakeOutputs(
        task->sequences(), {.seed = c["seed"], .width = 1, .scale = 0.5f}));
    ASSERT_TRUE(results.ok()) << results.status();
    EXPECT_EQ((*results)[0].logits, c["logits"].get<std::vector<float>>());
    ExpectLabels(c["results"], Strings(c["choices"]), (*results)[0].labels);
  }
}

TagTokensRequest TagRequest(const json& c, bool raw) {
  const std::map<std::string, TagTokensRequest::Aggregation> aggregations = {
      {"none", TagTokensRequest::Aggregation::kNone},
      {"simple", TagTokensRequest::Aggregation::kSimple},
      {"first", TagTokensRequest::Aggregation::kFirst},
      {"average", TagTokensRequest::Aggregation::kAverage},
      {"max", TagTokensRequest::Aggregation::kMax}};
  return {.inputs = {c["text"]},
          .aggregation = aggregations.at(c["aggregation"]),
          .ignore_labels = Strings(c["ignore_labels"]),
          .offset_unit = raw ? OffsetUnit::kCodePoints : UnitNamed(c["unit"]),
          .length_policy = c["policy"] == "window" ? LengthPolicy::kWindow
                                                   : LengthPolicy::kTruncate,
          .stride = c["stride"],
          .keep_ignored = c["keep_ignored"],
          .raw_offsets = raw};
}

TEST(GoldenTest, TagTokensEqualsPipeline) {
  const std::vector<json> cases = CasesOfBothSides("tag_tokens");
  ASSERT_GE(cases.size(), 500u);
  for (const json& c : cases) {
    for (const bool raw : {false, true}) {
      SCOPED_TRACE(c.dump());
      model::Config config;
      const TaskModel model = ModelOf(c, c["max_tokens"], &config);
      auto task = Whole(TagTokensTask::Create(TagRequest(c, raw), model));
      ASSERT_TRUE(task.ok()) << task.status();
      std::vector<uint32_t> digests = Digests(task->sequences());
      // The reference's windows then come from the end; ours never do.
      if (c.value("truncation_side", "right") == "left") {
        std::reverse(digests.begin(), digests.end());
      }
      ASSERT_EQ(json(digests), c["sequences"]);
      const auto results = task->Finish(FakeOutputs(
          task->sequences(),
          {.seed = c["seed"], .width = 7, .scale = 0.25f, .bonus = 3.0f}));
      ASSERT_TRUE(results.ok()) << results.status();
      const std::vector<Entity>& entities = (*results)[0].entities;
      ASSERT_EQ(entities.size(), c["results"].size());
      for (size_t i = 0; i < entities.size(); ++i) {
        const json& expected = c["results"][i];
        EXPECT_EQ(entities[i].label, expected[0].get<std::string>());
        ExpectScore(entities[i].score, expected[1]);
        EXPECT_EQ(entities[i].token_index, expected[2].get<uint32_t>());
        ExpectLocation(expected, 3, raw, Of(entities[i]));
      }
    }
  }
}

AnswerQuestionRequest AnswerRequest(const json& c, bool raw) {
  using Rule = AnswerQuestionRequest::Rule;
  return {.inputs = {{.question = c["question"], .context = c["context"]}},
          .top_k = c["top_k"],
          .max_answer_tokens = c["max_answer_len"],
          .handle_impossible_answer = c["handle_impossible_answer"],
          .stride = c["stride"],
          .max_window_tokens = c["max_seq_len"],
          .align_to_words = c["align_to_words"],
          .offset_unit = raw ? OffsetUnit::kCodePoints : UnitNamed(c["unit"]),
          .rule = c["rule"] == "squad_v2" ? Rule::kSquadV2 : Rule::kPipeline,
          .null_threshold = c["null_threshold"],
          .raw_offsets = raw};
}

TEST(GoldenTest, AnswerQuestionEqualsPipeline) {
  const std::vector<json> cases = CasesOfBothSides("answer_question");
  ASSERT_GE(cases.size(), 700u);
  for (const json& c : cases) {
    for (const bool raw : {false, true}) {
      SCOPED_TRACE(c.dump());
      model::Config config;
      const TaskModel model = ModelOf(c, 512, &config);
      auto task =
          Whole(AnswerQuestionTask::Create(AnswerRequest(c, raw), model));
      ASSERT_TRUE(task.ok()) << task.status();
      ASSERT_EQ(json(Digests(task->sequences())), c["sequences"]);
      const auto results = task->Finish(FakeOutputs(
          task->sequences(), {.seed = c["seed"], .width = 2, .scale = 0.5f}));
      ASSERT_TRUE(results.ok()) << results.status();
      const std::vector<Answer>& answers = (*results)[0].answers;
      ASSERT_EQ(answers.size(), c["results"].size());
      for (size_t i = 0; i < answers.size(); ++i) {
        const json& expected = c["results"][i];
        ExpectScore(answers[i].score, expected[0]);
        EXPECT_EQ(answers[i].no_answer, expected[1].get<bool>());
        ExpectLocation(expected, 2, raw, Of(answers[i]));
      }
      EXPECT_EQ((*results)[0].coverage.windows, c["sequences"].size());
    }
  }
}

TEST(GoldenTest, FillMaskEqualsPipeline) {
  const std::vector<json> cases = GoldenCases("fill_mask");
  ASSERT_GE(cases.size(), 250u);
  for (const json& c : cases) {
    SCOPED_TRACE(c.dump());
    model::Config config;
    const TaskModel model = ModelOf(c, 512, &config);
    auto task = Whole(FillMaskTask::Create({.inputs = {c["text"]},
                                            .top_k = c["top_k"],
                                            .targets = Strings(c["targets"])},
                                           model));
    ASSERT_TRUE(task.ok()) << task.status();
    ASSERT_EQ(json(Digests(task->sequences())), c["sequences"]);
    const auto results = task->Finish(FakeOutputs(
        task->sequences(), {.seed = c["seed"],
                            .width = static_cast<size_t>(config.vocab_size),
                            .scale = 0.5f}));
    ASSERT_TRUE(results.ok()) << results.status();
    const std::vector<MaskPrediction>& masks = (*results)[0].masks;
    ASSERT_EQ(masks.size(), c["results"].size());
    for (size_t m = 0; m < masks.size(); ++m) {
      EXPECT_EQ(task->sequences()[0].ids[masks[m].token_index],
                model.tokenizer->special_ids().mask);
      ASSERT_EQ(masks[m].candidates.size(), c["results"][m].size());
      for (size_t i = 0; i < masks[m].candidates.size(); ++i) {
        const MaskCandidate& candidate = masks[m].candidates[i];
        const json& expected = c["results"][m][i];
        EXPECT_EQ(candidate.token_id, expected[0].get<int32_t>());
        EXPECT_EQ(candidate.token, expected[1].get<std::string>());
        ExpectScore(candidate.score, expected[2]);
        EXPECT_EQ(candidate.sequence, expected[3].get<std::string>());
      }
    }
  }
}

TEST(GoldenTest, TokenizeEqualsTokenizer) {
  const std::vector<json> cases = GoldenCases("tokenize");
  ASSERT_GE(cases.size(), 70u);
  for (const json& c : cases) {
    SCOPED_TRACE(c.dump());
    const auto results =
        WholeTokenize({.inputs = {{.text = c["text"], .text_pair = c["pair"]}},
                       .add_special_tokens = c["add_special_tokens"],
                       .offset_unit = UnitNamed(c["unit"])},
                      GoldenTokenizer(c["tokenizer"].get<std::string>()));
    ASSERT_TRUE(results.ok()) << results.status();
    const TokenizeResult& result = (*results)[0];
    EXPECT_EQ(json(result.ids), c["ids"]);
    EXPECT_EQ(json(result.tokens), c["tokens"]);
    EXPECT_EQ(json(result.token_type_ids), c["type_ids"]);
    EXPECT_EQ(json(result.special_tokens_mask), c["special_tokens_mask"]);
    std::vector<std::vector<uint32_t>> offsets;
    for (const tokenizer::Span& span : result.offsets) {
      offsets.push_back({span.start, span.end});
    }
    EXPECT_EQ(json(offsets), c["offsets"]);
  }
}

}  // namespace
}  // namespace deberta::server
