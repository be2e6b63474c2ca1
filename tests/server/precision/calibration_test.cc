#include "server/precision/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "server/precision/calibration_texts.h"
#include "tokenizer/loader.h"

namespace deberta::server {
namespace {

using model::Head;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Lt;

constexpr size_t kMaxTokens = 24;

class CalibrationTest : public testing::Test {
 protected:
  CalibrationTest() {
    config_.labels = {"A", "B", "C"};
    Use("v1");
  }

  // The golden tokenizer of this name.
  void Use(const std::string& name) {
    auto tokenizer = tokenizer::LoadTokenizer(
        DEBERTA_SOURCE_DIR "/tests/golden/tokenizers/" + name);
    EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
    tokenizer_ = *std::move(tokenizer);
  }

  TaskModel Model() const {
    return {.tokenizer = tokenizer_.get(),
            .config = &config_,
            .labels = config_.labels,
            .max_tokens = kMaxTokens};
  }
  Calibration Make(Head head, const std::vector<TextInput>& texts = {}) const {
    const auto calibration = MakeCalibration(texts, head, Model());
    EXPECT_TRUE(calibration.ok()) << calibration.status();
    return calibration.value_or(Calibration());
  }
  std::string ErrorOf(Head head, const std::vector<TextInput>& texts) const {
    const auto calibration = MakeCalibration(texts, head, Model());
    EXPECT_TRUE(absl::IsInvalidArgument(calibration.status()));
    return std::string(calibration.status().message());
  }
  int32_t mask() const { return *tokenizer_->special_ids().mask; }

  std::unique_ptr<const tokenizer::Tokenizer> tokenizer_;
  model::Config config_ = [] {
    model::Config config;
    config.vocab_size = 1 << 20;
    return config;
  }();
};

constexpr Head kHeads[] = {
    Head::kNone,
    Head::kSequenceClassification,
    Head::kTokenClassification,
    Head::kQuestionAnswering,
    Head::kMaskedLanguageModel,
    Head::kMultipleChoice,
    Head::kReplacedTokenDetection,
};

// 99 percent of fewer labels than a hundred would be all of them.
TEST_F(CalibrationTest, BuiltInTextsMakeMoreThanAHundredLabelsForEveryHead) {
  for (const Head head : kHeads) {
    SCOPED_TRACE(static_cast<int>(head));
    const Calibration calibration = Make(head);
    size_t labels = 0;
    for (const CalibrationInput& input : calibration.inputs) {
      for (const SequenceInput& sequence : input.sequences) {
        EXPECT_LE(sequence.ids.size(), kMaxTokens);
        EXPECT_EQ(sequence.ids.size(), sequence.type_ids.size());
        ASSERT_FALSE(sequence.rows.empty());
        EXPECT_THAT(sequence.rows, Each(Lt(sequence.ids.size())));
        EXPECT_EQ(sequence.readout, head == Head::kNone ? Readout::kHiddenStates
                                                        : Readout::kHeadLogits);
      }
      labels += head == Head::kQuestionAnswering ? 2
                : head == Head::kMultipleChoice
                    ? 1
                    : input.sequences[0].rows.size();
    }
    EXPECT_GT(labels, 100u);
  }
}

TEST_F(CalibrationTest, EachHeadReadsItsRows) {
  const TextInput text = {.text = "one two three four"};
  const TextInput pair = {.text = "one two", .text_pair = "three four"};
  const auto only = [&](Head head, const TextInput& input) {
    const Calibration calibration = Make(head, {input});
    EXPECT_EQ(calibration.inputs.size(), 1u);
    return calibration.inputs.at(0).sequences.at(0);
  };
  EXPECT_THAT(only(Head::kSequenceClassification, text).rows, ElementsAre(0));
  const SequenceInput tagged = only(Head::kTokenClassification, text);
  EXPECT_EQ(tagged.rows.size(), tagged.ids.size() - 2);  // not [CLS] and [SEP]
  EXPECT_EQ(tagged.rows.front(), 1u);
  const SequenceInput answer = only(Head::kQuestionAnswering, pair);
  EXPECT_EQ(answer.rows.front(), 0u);
  for (const uint32_t row : std::span(answer.rows).subspan(1))
    EXPECT_EQ(answer.type_ids[row], 1);
  EXPECT_EQ(only(Head::kNone, text).rows.size(), tagged.ids.size());
}

// As AnswerQuestion asks.
TEST_F(CalibrationTest, ContextComesFirstWherePaddingIsOnTheLeft) {
  const std::filesystem::path from =
      DEBERTA_SOURCE_DIR "/tests/golden/tasks/tokenizers/v1";
  const std::filesystem::path to = testing::TempDir() + "calibration-left";
  std::filesystem::create_directories(to);
  std::filesystem::copy_file(from / "tokenizer.json", to / "tokenizer.json",
                             std::filesystem::copy_options::overwrite_existing);
  std::ofstream(to / "tokenizer_config.json") << R"({"padding_side": "left"})";
  auto left = tokenizer::LoadTokenizer(to);
  ASSERT_TRUE(left.ok()) << left.status();
  tokenizer_ = *std::move(left);
  const Calibration calibration =
      Make(Head::kQuestionAnswering,
           {{.text = "who", .text_pair = "one two three four"}});
  const SequenceInput& sequence = calibration.inputs.at(0).sequences.at(0);
  const size_t context = tokenizer_->Tokenize("one two three four")->size();
  ASSERT_EQ(sequence.rows.size(), 1 + context);
  for (uint32_t i = 0; i <= context; ++i) {
    EXPECT_EQ(sequence.rows[i], i);
    EXPECT_EQ(sequence.type_ids[i], 0);
  }
  EXPECT_EQ(sequence.type_ids.back(), 1);
}

TEST_F(CalibrationTest, PutsInMasksWhereATextHasNone) {
  const auto sequence = [&](const char* text) {
    return Make(Head::kMaskedLanguageModel, {{.text = text}})
        .inputs.at(0)
        .sequences.at(0);
  };
  const SequenceInput own = sequence("one [MASK] three [MASK] five");
  const SequenceInput none = sequence("one two three four five");
  EXPECT_EQ(own.rows.size(), 2u);
  EXPECT_EQ(none.rows.size(), 1u);
  for (const SequenceInput& masked : {own, none}) {
    for (const uint32_t row : masked.rows) EXPECT_EQ(masked.ids[row], mask());
    EXPECT_EQ(std::count(masked.ids.begin(), masked.ids.end(), mask()),
              static_cast<ptrdiff_t>(masked.rows.size()));
  }
}

TEST_F(CalibrationTest, ChoicesAreAnsweredTogether) {
  const Calibration calibration = Make(
      Head::kMultipleChoice, {{.text = "one", .choices = {"a", "b", "c"}}});
  ASSERT_EQ(calibration.inputs.size(), 1u);
  EXPECT_EQ(calibration.inputs[0].sequences.size(), 3u);
}

TEST_F(CalibrationTest, RulesFollowTheTask) {
  const auto rule = [&](model::ProblemType problem, size_t classes) {
    config_.problem_type = problem;
    config_.labels.resize(classes);
    return MakeCalibration({}, Head::kSequenceClassification, Model())->rule;
  };
  using model::ProblemType;
  EXPECT_EQ(rule(ProblemType::kUnset, 2), LabelRule::kBestOfRow);
  // Of one class the best is always the same.
  EXPECT_EQ(rule(ProblemType::kUnset, 1), LabelRule::kSides);
  EXPECT_EQ(rule(ProblemType::kMultiLabel, 4), LabelRule::kSides);
  EXPECT_EQ(rule(ProblemType::kRegression, 1), LabelRule::kNone);
  EXPECT_EQ(Make(Head::kQuestionAnswering).rule, LabelRule::kBestOfColumn);
  EXPECT_EQ(Make(Head::kMultipleChoice).rule, LabelRule::kBestOfColumn);
  EXPECT_EQ(Make(Head::kNone).rule, LabelRule::kDirection);
}

TEST_F(CalibrationTest, TextsThatDoNotFitTheHeadAreNamed) {
  const TextInput text = {.text = "one"};
  const TextInput pair = {.text = "one", .text_pair = "two"};
  const TextInput choices = {.text = "one", .choices = {"a"}};
  EXPECT_THAT(ErrorOf(Head::kQuestionAnswering, {pair, text}),
              HasSubstr("calibration[1]: expected a question"));
  EXPECT_THAT(ErrorOf(Head::kMultipleChoice, {text}),
              HasSubstr("calibration[0]: expected \"choices\""));
  EXPECT_THAT(ErrorOf(Head::kTokenClassification, {choices}),
              HasSubstr("expected no \"choices\""));
  EXPECT_THAT(ErrorOf(Head::kMaskedLanguageModel, {pair}),
              HasSubstr("expected no \"text_pair\""));
  Use("v3-lower");
  EXPECT_THAT(ErrorOf(Head::kTokenClassification, {{.text = " "}}),
              HasSubstr("none of the texts has a token"));
}

TEST(BuiltInTextsTest, AreManyAndDiffer) {
  const auto texts = BuiltInTexts();
  EXPECT_GT(texts.size(), 40u);
  EXPECT_EQ(std::set<std::string_view>(texts.begin(), texts.end()).size(),
            texts.size());
  for (const std::string_view text : texts) {
    const auto [first, second] = Halves(text);
    EXPECT_EQ(first + second, text);
    EXPECT_FALSE(first.empty());
    EXPECT_FALSE(second.empty());
    EXPECT_NE(static_cast<unsigned char>(second[0]) & 0xC0, 0x80) << text;
  }
}

}  // namespace
}  // namespace deberta::server
