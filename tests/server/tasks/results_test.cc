// What the tasks make of several inputs, windows and odd model outputs, where
// the pipelines have no counterpart.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/tasks/answer_question.h"
#include "server/tasks/classify.h"
#include "server/tasks/encode.h"
#include "server/tasks/fill_mask.h"
#include "server/tasks/tag_tokens.h"
#include "server/tasks/tokenize.h"
#include "tests/server/tasks/results_fixture.h"
#include "tokenizer/loader.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(ResultsTest, ClassifyAveragesTheLogitsOfWindows) {
  // Eight tokens of text in windows of six: two windows.
  WholeTask<ClassifyTask> task =
      Created<ClassifyTask>({.inputs = {{.text = "!\"#$%&'("}, {.text = "!"}},
                             .function = ClassifyRequest::Function::kNone,
                             .return_logits = true,
                             .length_policy = LengthPolicy::kWindow});
  const size_t windows = task.coverage()[0].windows;
  ASSERT_GT(windows, 1u);
  ASSERT_EQ(task.sequences().size(), windows + 1);
  std::vector<SequenceOutput> outputs = Constant(task.sequences(), {1, 2, 3});
  outputs[0].values = {4, 8, 3};
  const auto results = task.Finish(outputs);
  ASSERT_TRUE(results.ok()) << results.status();
  const float share = 1.0f / static_cast<float>(windows);
  EXPECT_THAT((*results)[0].logits,
              ElementsAre(FloatEq(1 + 3 * share), FloatEq(2 + 6 * share), 3));
  EXPECT_THAT((*results)[1].logits, ElementsAre(1, 2, 3));
  EXPECT_EQ((*results)[0].coverage.tokens_used,
            (*results)[0].coverage.tokens_total);
  EXPECT_FALSE((*results)[0].coverage.truncated);
}

TEST_F(ResultsTest, ClassifyKeepsLowerIndexFirstAndCapsTopK) {
  WholeTask<ClassifyTask> task =
      Created<ClassifyTask>({.inputs = {{.text = "a"}}, .top_k = 1000});
  const auto results = task.Finish(Constant(task.sequences(), {1, 2, 1}));
  ASSERT_TRUE(results.ok()) << results.status();
  const ClassifyResult& result = (*results)[0];
  ASSERT_EQ(result.labels.size(), 3u);
  EXPECT_EQ(result.labels[0].index, 1);
  EXPECT_EQ(result.labels[1].index, 0);
  EXPECT_EQ(result.labels[2].index, 2);
  EXPECT_THAT(result.logits, IsEmpty());
}

TEST_F(ResultsTest, ChoicesAreTheLabels) {
  model_.multiple_choice = true;
  const std::vector<std::string> choices = {"!", "!\"#$%&'(", "!"};
  ClassifyRequest request = {.inputs = {{.text = "a", .choices = choices},
                                        {.text = "b", .choices = {"c"}}},
                             .top_k = 2,
                             .return_logits = true,
                             .length_policy = LengthPolicy::kWindow};
  WholeTask<ClassifyTask> task = Created<ClassifyTask>(request);
  const size_t windows = task.coverage()[0].windows;
  ASSERT_GT(windows, 1u) << "of the longest choice";
  ASSERT_EQ(task.sequences().size(), windows + 3);
  std::vector<SequenceOutput> outputs = Constant(task.sequences(), {1});
  outputs[1].values = {1 + 2 * static_cast<float>(windows)};
  auto results = task.Finish(outputs);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_THAT((*results)[0].logits, ElementsAre(1, FloatEq(3), 1));
  ASSERT_EQ((*results)[0].labels.size(), 2u);
  EXPECT_EQ((*results)[0].labels[0].label, choices[1]);
  EXPECT_EQ((*results)[0].labels[0].index, 1);
  // e^2 / (e^2 + 2)
  EXPECT_THAT((*results)[0].labels[0].score, FloatEq(0.7869861f));
  EXPECT_EQ((*results)[0].labels[1].index, 0);
  EXPECT_THAT((*results)[1].labels[0].score, 1) << "the only one";

  request.function = ClassifyRequest::Function::kSigmoid;
  results = Created<ClassifyTask>(request).Finish(outputs);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_THAT((*results)[1].labels[0].score, FloatEq(0.7310586f));
}

TEST_F(ResultsTest, TagIgnoresTheModelsOwnLabel) {
  model_.ignored_label = "PER";
  const auto entities = [&](const std::vector<float>& row) {
    WholeTask<TagTokensTask> task = Created<TagTokensTask>({.inputs = {"a b"}});
    return (*task.Finish(Constant(task.sequences(), row)))[0].entities;
  };
  EXPECT_THAT(entities({0, 9, 0}), IsEmpty());
  EXPECT_EQ(entities({9, 0, 0}).size(), 1u);
}

TEST_F(ResultsTest, TruncationShowsInCoverage) {
  WholeTask<ClassifyTask> task =
      Created<ClassifyTask>({.inputs = {{.text = "!\"#$%&'()*+,-./"}},
                             .length_policy = LengthPolicy::kTruncate});
  const Coverage coverage = task.coverage()[0];
  EXPECT_TRUE(coverage.truncated);
  EXPECT_EQ(coverage.tokens_used, 8u);
  EXPECT_EQ(coverage.tokens_total,
            tokenizer_->Tokenize("!\"#$%&'()*+,-./")->size() + 2);
}

TEST_F(ResultsTest, WrongOutputsAreInternalErrors) {
  const auto created = [&] {
    return Created<ClassifyTask>({.inputs = {{.text = "a"}, {.text = "b"}}});
  };
  const auto code = [&](const std::vector<SequenceOutput>& outputs) {
    return created().Finish(outputs).status().code();
  };
  const std::vector<SequenceInput> sequences = created().sequences();
  std::vector<SequenceOutput> outputs = Constant(sequences, {1, 2, 3});
  EXPECT_EQ(code(outputs), absl::StatusCode::kOk);
  EXPECT_EQ(code({outputs[0]}), absl::StatusCode::kInternal);
  EXPECT_EQ(code({outputs[0], outputs[1], outputs[1]}),
            absl::StatusCode::kInternal);
  EXPECT_EQ(code(Constant(sequences, {1, 2})), absl::StatusCode::kInternal);
  EXPECT_EQ(code({{}, {}}), absl::StatusCode::kInternal);
  // Of infinity a softmax made NaN, with status OK.
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float wrong :
       {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity}) {
    outputs[1].values[2] = wrong;
    const absl::Status status = created().Finish(outputs).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("the model's output is not finite"));
  }
}

TEST_F(ResultsTest, HiddenStatesThatAreNotFiniteAreInternalErrors) {
  for (const float wrong : {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity()}) {
    WholeTask<EncodeTask> task =
        Created<EncodeTask>({.inputs = {{.text = "a"}}});
    EXPECT_EQ(
        task.Finish(Constant(task.sequences(), {1, wrong})).status().code(),
        absl::StatusCode::kInternal);
  }
}

// Logits that name the window and the position: tag w for window w.
TEST_F(ResultsTest, TagNoneTakesTokensFromTheirMostCentralWindow) {
  const std::string text = "QXZJVWQXZJVW";
  const size_t tokens = tokenizer_->Tokenize(text)->size();
  ASSERT_EQ(tokens, 12u) << "one token a character";
  WholeTask<TagTokensTask> task = Created<TagTokensTask>(
      {.inputs = {text},
       .aggregation = TagTokensRequest::Aggregation::kNone,
       .length_policy = LengthPolicy::kWindow,
       .stride = 3,
       .keep_ignored = true});
  // [0, 6) [3, 9) [6, 12)
  ASSERT_EQ(task.sequences().size(), 3u);
  std::vector<SequenceOutput> outputs = Constant(task.sequences(), {0, 0, 0});
  for (size_t w = 0; w < 3; ++w) {
    for (size_t i = 0; i < outputs[w].values.size(); i += 3) {
      outputs[w].values[i + w] = 5;
    }
  }
  const auto results = task.Finish(outputs);
  ASSERT_TRUE(results.ok()) << results.status();
  std::string windows;
  for (const Entity& entity : (*results)[0].entities) {
    windows += entity.label == "O" ? '0' : entity.label == "B-PER" ? '1' : '2';
    EXPECT_EQ(entity.token_index, entity.start + 1);
    EXPECT_EQ(entity.text, text.substr(entity.start, 1));
  }
  // Token 3 is 2 from the edge of the first window and 0 of the second, token
  // 4 is 1 from either: the earlier wins; token 5 is 0 and 2. So from 6 to 8.
  EXPECT_EQ(windows, "000001112222");
}

TEST_F(ResultsTest, TagTrimsAndCountsInTheUnitAskedFor) {
  model_.max_tokens = 64;
  // Emoji: one code point, four bytes, two UTF-16 units.
  WholeTask<TagTokensTask> task =
      Created<TagTokensTask>({.inputs = {" \U0001F642 b "},
                              .offset_unit = OffsetUnit::kUtf8Bytes,
                              .keep_ignored = true});
  const auto results = task.Finish(Constant(task.sequences(), {5, 0, 0}));
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ((*results)[0].entities.size(), 1u);
  const Entity& entity = (*results)[0].entities[0];
  EXPECT_EQ(entity.text, "\U0001F642 b");
  EXPECT_EQ(entity.start, 1u);
  EXPECT_EQ(entity.end, 7u);
}

TEST_F(ResultsTest, TagIgnoresOByDefaultAndListedLabelsOtherwise) {
  const auto count = [&](TagTokensRequest request) {
    request.inputs = {"a"};
    WholeTask<TagTokensTask> task = Created<TagTokensTask>(std::move(request));
    const auto results = task.Finish(Constant(task.sequences(), {5, 0, 0}));
    return results.ok() ? (*results)[0].entities.size() : 99u;
  };
  EXPECT_EQ(count({}), 0u);
  EXPECT_EQ(count({.ignore_labels = {"PER"}}), 1u);
  EXPECT_EQ(count({.ignore_labels = {"PER", "O"}}), 0u);
  EXPECT_EQ(count({.keep_ignored = true}), 1u);
}

TEST_F(ResultsTest, FillMaskReadsOnlyTheMasks) {
  model_.max_tokens = 64;
  WholeTask<FillMaskTask> task =
      Created<FillMaskTask>({.inputs = {"a [MASK] b [MASK]", "[MASK]"}});
  ASSERT_EQ(task.sequences().size(), 2u);
  EXPECT_EQ(task.sequences()[0].rows.size(), 2u);
  EXPECT_THAT(task.sequences()[1].rows, ElementsAre(1));
  std::vector<float> row(static_cast<size_t>(config_.vocab_size));
  const auto results = task.Finish(Constant(task.sequences(), row));
  ASSERT_TRUE(results.ok()) << results.status();
  // All equal: the lowest ids, five by default.
  const std::vector<MaskCandidate>& best = (*results)[1].masks[0].candidates;
  ASSERT_EQ(best.size(), 5u);
  for (int32_t i = 0; i < 5; ++i) {
    EXPECT_EQ(best[static_cast<size_t>(i)].token_id, i);
  }
  EXPECT_EQ((*results)[0].masks[1].token_index, task.sequences()[0].rows[1]);
}

TEST_F(ResultsTest, FillMaskChecksTheColumnsItGets) {
  model_.max_tokens = 64;
  const std::vector<float> row(static_cast<size_t>(config_.vocab_size));
  const auto finish = [&](auto change) {
    WholeTask<FillMaskTask> task =
        Created<FillMaskTask>({.inputs = {"[MASK]"}, .top_k = 2});
    std::vector<SequenceOutput> outputs = Constant(task.sequences(), row);
    change(outputs[0].columns);
    return task.Finish(outputs).status();
  };
  using Columns = std::vector<int32_t>;
  EXPECT_TRUE(finish([](Columns&) {}).ok());
  for (const absl::Status& status :
       {finish([](Columns& columns) { columns.pop_back(); }),
        finish([](Columns& columns) { columns[0] = -1; }), finish([&](auto& c) {
          c[1] = static_cast<int32_t>(config_.vocab_size);
        })}) {
    EXPECT_TRUE(absl::IsInternal(status)) << status;
  }
}

TEST_F(ResultsTest, FillMaskAsksForTheSameOfEachRow) {
  WholeTask<FillMaskTask> task =
      Created<FillMaskTask>({.inputs = {"[MASK]", "a[MASK]"}, .top_k = 3});
  EXPECT_EQ(task.sequences()[0].best, task.sequences()[1].best);
  EXPECT_EQ(task.sequences()[0].best->count, 3u);
}

// A copy of the v3 tokenizer whose mask has another name.
std::string DirectoryWithMask(const std::string& mask) {
  const std::string from =
      std::string(DEBERTA_SOURCE_DIR) + "/tests/golden/tasks/tokenizers/v3/";
  const std::string to = ::testing::TempDir() + "mask" + mask;
  std::filesystem::create_directories(to);
  for (const std::string name : {"tokenizer.json", "tokenizer_config.json"}) {
    std::ifstream in(from + name);
    std::string text(std::istreambuf_iterator<char>(in), {});
    for (size_t at; (at = text.find("[MASK]")) != std::string::npos;) {
      text.replace(at, 6, mask);
    }
    std::ofstream(to + "/" + name) << text;
  }
  return to;
}

TEST_F(ResultsTest, FillMaskTakesGenericMaskForTheModelsOwn) {
  const auto own = tokenizer::LoadTokenizer(DirectoryWithMask("<mask>"));
  ASSERT_TRUE(own.ok()) << own.status();
  model_ = {.tokenizer = own->get(), .config = &config_, .max_tokens = 64};
  config_.vocab_size = (*own)->vocab_size();
  WholeTask<FillMaskTask> task = Created<FillMaskTask>(
      {.inputs = {"the [MASK] of <mask>[MASK]", "the <mask> of <mask><mask>"}});
  EXPECT_EQ(task.sequences()[0].rows.size(), 3u);
  EXPECT_EQ(task.sequences()[0].ids, task.sequences()[1].ids);
}

// The pipeline truncates a target that is no word of the vocabulary to one
// token, from the tokenizer's own side.
TEST_F(ResultsTest, FillMaskTakesTheTokenOfATargetThatTruncationLeaves) {
  const std::string target = "a!b";
  for (const char* side : {"right", "left"}) {
    const tokenizer::Tokenizer& tokenizer =
        GoldenTokenizer("v1", {.truncation_side = side});
    const std::vector<int32_t> ids = tokenizer.Tokenize(target)->ids;
    ASSERT_GT(ids.size(), 1u);
    ASSERT_NE(ids.front(), ids.back());
    config_.vocab_size = tokenizer.vocab_size();
    model_ = {.tokenizer = &tokenizer, .config = &config_, .max_tokens = 64};
    WholeTask<FillMaskTask> task = Created<FillMaskTask>(
        {.inputs = {"[MASK]"}, .top_k = 1, .targets = {target}});
    const std::vector<float> row(static_cast<size_t>(config_.vocab_size));
    const auto results = task.Finish(Constant(task.sequences(), row));
    ASSERT_TRUE(results.ok()) << results.status();
    EXPECT_EQ((*results)[0].masks[0].candidates[0].token_id,
              std::string(side) == "left" ? ids.back() : ids.front())
        << side;
  }
}

TEST_F(ResultsTest, EncodePools) {
  config_.hidden_size = 2;
  using Pooling = EncodeRequest::Pooling;
  const auto encode = [&](Pooling pooling, bool normalize) {
    WholeTask<EncodeTask> task = Created<EncodeTask>({.inputs = {{.text = "!"}},
                                                      .pooling = pooling,
                                                      .normalize = normalize});
    EXPECT_EQ(task.sequences()[0].readout, Readout::kHiddenStates);
    // [CLS] ! [SEP]
    SequenceOutput output = {.values = {3, 4, 0, 0, 6, -1}, .width = 2};
    output.values.resize(task.sequences()[0].rows.size() * 2);
    return *task.Finish({&output, 1});
  };
  EXPECT_THAT(encode(Pooling::kCls, false)[0].vectors,
              ElementsAre(ElementsAre(3, 4)));
  EXPECT_THAT(encode(Pooling::kCls, true)[0].vectors,
              ElementsAre(ElementsAre(FloatEq(.6f), FloatEq(.8f))));
  EXPECT_THAT(encode(Pooling::kMean, false)[0].vectors,
              ElementsAre(ElementsAre(3, 1)));
  const auto all = encode(Pooling::kNone, true);
  ASSERT_EQ(all[0].vectors.size(), 3u);
  EXPECT_THAT(all[0].vectors[1], ElementsAre(0, 0)) << "zero stays zero";
  EXPECT_THAT(all[0].tokens, ElementsAre("[CLS]", "!", "[SEP]"));
}

TEST_F(ResultsTest, AnswerQuestionWindowsDefaultToTheModelsLimit) {
  WholeTask<AnswerQuestionTask> task =
      Created<AnswerQuestionTask>({.inputs = {{"!\"#", "!\"#$%&"}}});
  // Room of 8 - 3 - 3 = 2 tokens; the default overlap of 4 is made 1.
  EXPECT_EQ(task.sequences().size(), 5u);
  EXPECT_EQ(task.coverage()[0].tokens_total, 12u);
  EXPECT_EQ(task.coverage()[0].tokens_used, 12u);
  EXPECT_EQ(task.coverage()[0].windows, 5u);
}

TEST_F(ResultsTest, TokenizeOfNothingIsTheTemplate) {
  const auto results = WholeTokenize({.inputs = {{.text = ""}}}, *tokenizer_);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_THAT((*results)[0].tokens, ElementsAre("[CLS]", "[SEP]"));
}

TEST_F(ResultsTest, InputsTogetherEqualInputsAlone) {
  model_.max_tokens = 10;
  const std::vector<std::string> texts = {
      "Marta walked to Oslo.", "x", "Paris is the capital of France, the sea."};
  const FakeLogits logits = {.seed = 7, .width = 3};
  const auto tag = [&](std::vector<std::string> inputs) {
    WholeTask<TagTokensTask> task =
        Created<TagTokensTask>({.inputs = std::move(inputs),
                                .length_policy = LengthPolicy::kWindow,
                                .stride = 2,
                                .keep_ignored = true});
    return *task.Finish(FakeOutputs(task.sequences(), logits));
  };
  const std::vector<TagTokensResult> together = tag(texts);
  ASSERT_EQ(together.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const TagTokensResult alone = tag({texts[i]})[0];
    EXPECT_EQ(together[i].coverage.windows, alone.coverage.windows);
    ASSERT_EQ(together[i].entities.size(), alone.entities.size());
    for (size_t e = 0; e < alone.entities.size(); ++e) {
      EXPECT_EQ(together[i].entities[e].label, alone.entities[e].label);
      EXPECT_EQ(together[i].entities[e].score, alone.entities[e].score);
      EXPECT_EQ(together[i].entities[e].text, alone.entities[e].text);
    }
  }
}

}  // namespace
}  // namespace deberta::server
