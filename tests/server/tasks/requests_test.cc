// What each task refuses, and which field it blames.

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
#include "tests/server/tasks/golden_cases.h"
#include "tests/server/tasks/whole_task.h"

namespace deberta::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
// Some 200 tokens.
const std::string kLong = [] {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "a ";
  return text;
}();
const std::string kNotUtf8 = "secret \xff";

class RequestsTest : public ::testing::TestWithParam<const char*> {
 protected:
  RequestsTest() {
    config_.vocab_size = GoldenTokenizer(GetParam()).vocab_size();
    model_ = {.tokenizer = &GoldenTokenizer(GetParam()),
              .config = &config_,
              .labels = labels_,
              .max_tokens = 16};
  }

  // The field that is blamed; "" if the request is accepted.
  template <typename Task>
  std::string Blamed(typename Task::Request request) {
    const absl::Status status =
        Task::Create(std::move(request), model_).status();
    if (!status.ok()) {
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
      EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
      EXPECT_NE(InputErrorField(status), "") << status;
    }
    return InputErrorField(status);
  }

  const std::vector<std::string> labels_ = {"no", "Entailed"};
  model::Config config_;
  TaskModel model_;
};

INSTANTIATE_TEST_SUITE_P(Tokenizers, RequestsTest,
                         ::testing::Values("v1", "v3"));

TEST_P(RequestsTest, Classify) {
  using Task = ClassifyTask;
  const std::vector<TextInput> good = {{.text = "a"}};
  EXPECT_EQ(Blamed<Task>({.inputs = good}), "");
  EXPECT_EQ(Blamed<Task>({.inputs = good, .top_k = kHuge}), "");
  EXPECT_EQ(Blamed<Task>({.inputs = {}}), "inputs");
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = "a"}, {.text = ""}}}),
            "inputs[1].text");
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = "", .text_pair = "b"}}}),
            "inputs[0].text");
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = kNotUtf8}}}), "inputs[0].text");
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = "a", .text_pair = kNotUtf8}}}),
            "inputs[0].text_pair");
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = "a"}, {.text = kLong}}}),
            "inputs[1]");
  EXPECT_EQ(Blamed<Task>({.inputs = good, .top_k = -1}), "top_k");
  EXPECT_EQ(Blamed<Task>({.inputs = good, .stride = -1}), "stride");
  const auto window = LengthPolicy::kWindow;
  EXPECT_EQ(
      Blamed<Task>({.inputs = good, .length_policy = window, .stride = 13}),
      "");
  for (const int64_t stride : {int64_t{14}, kHuge}) {
    EXPECT_EQ(Blamed<Task>(
                  {.inputs = good, .length_policy = window, .stride = stride}),
              "stride");
  }
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = kLong, .text_pair = "b"}},
                          .length_policy = window}),
            "inputs[0]");
}

TEST_P(RequestsTest, MultipleChoice) {
  using Task = ClassifyTask;
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = "a", .choices = {"b"}}}}),
            "inputs[0].choices")
      << "not a multiple choice model";
  EXPECT_EQ(Blamed<EncodeTask>({.inputs = {{.text = "a", .choices = {"b"}}}}),
            "inputs[0].choices");
  model_.multiple_choice = true;
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = "a", .choices = {"b"}}}}), "");
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = "a"}}}), "inputs[0].choices");
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = "", .choices = {"b"}}}}),
            "inputs[0].text");
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = "a", .choices = {"b", ""}}}}),
            "inputs[0].choices[1]");
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = "a", .choices = {kNotUtf8}}}}),
            "inputs[0].choices[0]");
  EXPECT_EQ(
      Blamed<Task>(
          {.inputs = {{.text = "a", .text_pair = "b", .choices = {"c"}}}}),
      "inputs[0].text_pair");
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = "a", .choices = {"b", kLong}}}}),
            "inputs[0]");
  // More than a million tokens of pairs: none is made before its turn.
  model_.max_tokens = 512;
  EXPECT_EQ(Blamed<Task>(
                {.inputs = {{.text = kLong,
                             .choices = std::vector<std::string>(6000, "b")}}}),
            "");
}

// Small requests whose answers would take gigabytes.
TEST_P(RequestsTest, AnswersAreBounded) {
  config_.hidden_size = 1024;
  model_.max_answer_bytes = size_t{1} << 28;
  std::vector<TextInput> inputs(100'000, {.text = "a"});
  EXPECT_EQ(Blamed<EncodeTask>({.inputs = inputs}), "inputs");
  inputs.resize(20'000);
  EXPECT_EQ(Blamed<EncodeTask>({.inputs = inputs}), "");
  EXPECT_EQ(Blamed<EncodeTask>(
                {.inputs = inputs, .pooling = EncodeRequest::Pooling::kNone}),
            "");
  inputs.resize(40'000, {.text = "a"});
  EXPECT_EQ(Blamed<EncodeTask>(
                {.inputs = inputs, .pooling = EncodeRequest::Pooling::kNone}),
            "inputs");

  const std::vector<std::string> many(200, "label");
  model_.labels = many;
  EXPECT_EQ(Blamed<ClassifyTask>({.inputs = inputs}), "inputs");
  EXPECT_EQ(Blamed<ClassifyTask>({.inputs = inputs, .top_k = 3}), "");
}

// As many windows as there are tokens; none is made before its turn.
TEST_P(RequestsTest, AnyLengthIsAccepted) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "word ";
  const auto window = LengthPolicy::kWindow;
  EXPECT_EQ(
      Blamed<ClassifyTask>(
          {.inputs = {{.text = text}}, .length_policy = window, .stride = 13}),
      "");
  EXPECT_EQ(Blamed<TagTokensTask>(
                {.inputs = {text}, .length_policy = window, .stride = 13}),
            "");
  EXPECT_EQ(Blamed<AnswerQuestionTask>({.inputs = {{"who?", text}}}), "");
}

// The answers of all windows are compared: of many windows fewer can be asked.
TEST_P(RequestsTest, AnswersOfAllWindowsAreBounded) {
  model_.max_tokens = 512;
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "word ";
  const auto blamed = [&](int64_t top_k) {
    return Blamed<AnswerQuestionTask>(
        {.inputs = {{"who?", text}}, .top_k = top_k, .max_answer_tokens = 384});
  };
  EXPECT_EQ(blamed(100), "");
  EXPECT_EQ(blamed(kHuge), "top_k");
}

TEST_P(RequestsTest, TagTokens) {
  using Task = TagTokensTask;
  EXPECT_EQ(Blamed<Task>({.inputs = {"a"}}), "");
  EXPECT_EQ(Blamed<Task>({.inputs = {}}), "inputs");
  EXPECT_EQ(Blamed<Task>({.inputs = {"a", ""}}), "inputs[1]");
  EXPECT_EQ(Blamed<Task>({.inputs = {kNotUtf8}}), "inputs[0]");
  EXPECT_EQ(Blamed<Task>({.inputs = {kLong}}), "inputs[0]");
  EXPECT_EQ(Blamed<Task>({.inputs = {"a"}, .stride = -3}), "stride");
  EXPECT_EQ(Blamed<Task>({.inputs = {"a"},
                          .length_policy = LengthPolicy::kWindow,
                          .stride = 14}),
            "stride");
}

TEST_P(RequestsTest, AnswerQuestion) {
  using Task = AnswerQuestionTask;
  const std::vector<QuestionInput> good = {{"who?", "a b c"}};
  EXPECT_EQ(Blamed<Task>({.inputs = good}), "");
  EXPECT_EQ(Blamed<Task>({.inputs = {{"who?", kLong}}}), "");
  EXPECT_EQ(Blamed<Task>(
                {.inputs = good, .top_k = kHuge, .max_answer_tokens = kHuge}),
            "");
  EXPECT_EQ(Blamed<Task>({.inputs = {}}), "inputs");
  EXPECT_EQ(Blamed<Task>({.inputs = {{"", "a"}}}), "inputs[0].question");
  EXPECT_EQ(Blamed<Task>({.inputs = {{"a", ""}}}), "inputs[0].context");
  EXPECT_EQ(Blamed<Task>({.inputs = {{kNotUtf8, "a"}}}), "inputs[0].question");
  EXPECT_EQ(Blamed<Task>({.inputs = {{"a", kNotUtf8}}}), "inputs[0].context");
  EXPECT_EQ(Blamed<Task>({.inputs = {{kLong, "a"}}}), "inputs[0].question");
  EXPECT_EQ(Blamed<Task>({.inputs = good, .top_k = -1}), "top_k");
  EXPECT_EQ(Blamed<Task>({.inputs = good, .max_answer_tokens = -1}),
            "max_answer_tokens");
  EXPECT_EQ(Blamed<Task>({.inputs = good, .stride = -1}), "stride");
  EXPECT_EQ(Blamed<Task>({.inputs = good, .stride = kHuge}), "stride");
  for (const int64_t window : {int64_t{-1}, int64_t{17}, kHuge, int64_t{4}}) {
    EXPECT_EQ(Blamed<Task>({.inputs = good, .max_window_tokens = window}),
              "max_window_tokens");
  }
  EXPECT_EQ(
      Blamed<Task>({.inputs = good,
                    .null_threshold = std::numeric_limits<float>::quiet_NaN()}),
      "null_threshold");
}

TEST_P(RequestsTest, FillMask) {
  using Task = FillMaskTask;
  EXPECT_EQ(Blamed<Task>({.inputs = {"a [MASK]"}, .top_k = kHuge}), "");
  EXPECT_EQ(Blamed<Task>({.inputs = {}}), "inputs");
  EXPECT_EQ(Blamed<Task>({.inputs = {"[MASK]", "none"}}), "inputs[1]");
  EXPECT_EQ(Blamed<Task>({.inputs = {""}}), "inputs[0]");
  EXPECT_EQ(Blamed<Task>({.inputs = {kNotUtf8 + "[MASK]"}}), "inputs[0]");
  EXPECT_EQ(Blamed<Task>({.inputs = {kLong + "[MASK]"}}), "inputs[0]");
  EXPECT_EQ(Blamed<Task>({.inputs = {kLong + "[MASK]"},
                          .length_policy = LengthPolicy::kTruncate}),
            "inputs[0]");
  EXPECT_EQ(Blamed<Task>({.inputs = {"[MASK]"}, .top_k = -5}), "top_k");
  EXPECT_EQ(Blamed<Task>(
                {.inputs = {"[MASK]"}, .length_policy = LengthPolicy::kWindow}),
            "length_policy");
  EXPECT_EQ(Blamed<Task>({.inputs = {"[MASK]"}, .targets = {""}}), "targets");
  EXPECT_EQ(Blamed<Task>({.inputs = {"[MASK]"}, .targets = {"a", kNotUtf8}}),
            "targets[1]");
}

// 128100 candidates for each of many masks are gigabytes of filled texts.
TEST_P(RequestsTest, FillMaskBoundsItsAnswer) {
  config_.vocab_size = 128100;
  model_.max_tokens = 512;
  std::string masks;
  for (int i = 0; i < 100; ++i) masks += "[MASK]";
  EXPECT_EQ(Blamed<FillMaskTask>({.inputs = {masks}, .top_k = kHuge}), "top_k");
  EXPECT_EQ(Blamed<FillMaskTask>({.inputs = {masks}, .top_k = 100}), "");
}

TEST_P(RequestsTest, Encode) {
  using Task = EncodeTask;
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = "a"}}}), "");
  EXPECT_EQ(Blamed<Task>({.inputs = {}}), "inputs");
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = ""}}}), "inputs[0].text");
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = kLong}}}), "inputs[0]");
  EXPECT_EQ(Blamed<Task>({.inputs = {{.text = "a"}},
                          .length_policy = LengthPolicy::kWindow}),
            "length_policy");
}

TEST_P(RequestsTest, Tokenize) {
  const auto blamed = [&](std::vector<TextInput> inputs) {
    return InputErrorField(
        WholeTokenize({.inputs = std::move(inputs)}, *model_.tokenizer)
            .status());
  };
  EXPECT_EQ(blamed({}), "inputs");
  EXPECT_EQ(blamed({{.text = kNotUtf8}}), "inputs[0].text");
  EXPECT_EQ(blamed({{.text = "a"}, {.text = "", .text_pair = kNotUtf8}}),
            "inputs[1].text_pair");
  EXPECT_EQ(blamed({{.text = ""}, {.text = kLong}}), "");
  EXPECT_EQ(blamed({{.text = "a", .choices = {"b"}}}), "inputs[0].choices");
}

// An unknown word is one v3 token of any length, and every pair of tokens may
// be a candidate.
TEST(AnswerQuestionTest, BoundsTheTextOfItsCandidates) {
  model::Config config;
  config.vocab_size = 1 << 20;
  const TaskModel model = {.tokenizer = &GoldenTokenizer("v3"),
                           .config = &config,
                           .max_tokens = 512};
  std::string word = " ";
  for (int i = 0; i < 1000; ++i) word += "\u2603";
  std::string context;
  for (int i = 0; i < 150; ++i) context += word;
  const auto create = [&](int64_t top_k) {
    return AnswerQuestionTask::Create({.inputs = {{"who?", context}},
                                       .top_k = top_k,
                                       .max_answer_tokens = kHuge},
                                      model)
        .status();
  };
  EXPECT_EQ(InputErrorField(create(kHuge)), "top_k");
  EXPECT_TRUE(create(100).ok());
}

TEST(InputErrorTest, CarriesFieldBesideMessage) {
  const absl::Status status = InputError("inputs[3].text", "is bad");
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(status.message(), "inputs[3].text: is bad");
  EXPECT_EQ(InputErrorField(status), "inputs[3].text");
  EXPECT_EQ(InputErrorField(absl::InvalidArgumentError("other")), "");
  EXPECT_EQ(InputErrorField(absl::OkStatus()), "");
}

}  // namespace
}  // namespace deberta::server
