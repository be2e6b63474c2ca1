#include "server/precision/calibration.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/precision/calibration_texts.h"
#include "server/tasks/extract_entities.h"
#include "server/tasks/shared/request_checks.h"
#include "server/tasks/shared/sequence_plan.h"
#include "server/tasks/zero_shot.h"

namespace deberta::server {
namespace {

using model::Head;
using tokenizer::Encoding;
using tokenizer::TokenSequence;

constexpr const char* kLabels[] = {"person", "organization", "location", "date",
                                   "product"};
constexpr size_t kMostMasks = 4;
constexpr size_t kTokensAMask = 8;
// Built-in texts of more bytes are read once: they have half of all tokens.
constexpr size_t kLongestReread = 160;
// Distances of the wrong choice from the right one among the built-in texts.
constexpr std::array<size_t, 3> kWrongChoices = {1, 5, 11};

// Question answering puts the context before the question.
bool ContextFirst(Head head, const TaskModel& model) {
  return head == Head::kQuestionAnswering &&
         model.tokenizer->padding_side() == tokenizer::Side::kLeft;
}

bool FillsMasks(Head head, const TaskModel& model) {
  return head == Head::kMaskedLanguageModel &&
         model.tokenizer->special_ids().mask.has_value() &&
         *model.tokenizer->special_ids().mask < model.config->vocab_size;
}

LabelRule RuleOf(Head head, const TaskModel& model) {
  switch (head) {
    case Head::kSequenceClassification:
      if (model.config->problem_type == model::ProblemType::kRegression)
        return LabelRule::kNone;
      return model.config->problem_type == model::ProblemType::kMultiLabel ||
                     model.labels.size() == 1
                 ? LabelRule::kSides
                 : LabelRule::kBestOfRow;
    case Head::kTokenClassification:
    case Head::kReplacedTokenDetection:
      return LabelRule::kBestOfRow;
    case Head::kQuestionAnswering:
    case Head::kMultipleChoice:
      return LabelRule::kBestOfColumn;
    case Head::kMaskedLanguageModel:
      return FillsMasks(head, model) ? LabelRule::kBestOfRow
                                     : LabelRule::kDirection;
    case Head::kNone:
      return LabelRule::kDirection;
  }
  return LabelRule::kNone;
}

// Each text in the half before its own end, and in that of others.
std::vector<TextInput> BuiltInChoices() {
  std::vector<std::pair<std::string, std::string>> halves;
  for (const std::string_view text : BuiltInTexts()) {
    if (text.size() <= kLongestReread) halves.push_back(Halves(text));
  }
  std::vector<TextInput> inputs;
  for (size_t i = 0; i < halves.size(); ++i) {
    for (const size_t distance : kWrongChoices) {
      inputs.push_back(
          {.text = halves[i].first,
           .choices = {halves[i].second,
                       halves[(i + distance) % halves.size()].second}});
    }
  }
  return inputs;
}

// A text gives many labels, or one: then there are more inputs made of it, so
// that one label in a hundred can be told.
std::vector<TextInput> BuiltInInputs(Head head) {
  if (head == Head::kMultipleChoice) return BuiltInChoices();
  const std::span<const std::string_view> texts = BuiltInTexts();
  const std::span<const std::string_view> questions = BuiltInQuestions();
  std::vector<TextInput> inputs;
  const auto ask = [&](size_t i, std::string_view text) {
    inputs.push_back({.text = std::string(questions[i % questions.size()]),
                      .text_pair = std::string(text)});
  };
  for (size_t i = 0; i < texts.size(); ++i) {
    const bool reread = texts[i].size() <= kLongestReread;
    if (head == Head::kQuestionAnswering) {
      ask(i, texts[i]);
      if (reread) ask(i + 3, texts[i]);
      continue;
    }
    inputs.push_back({.text = std::string(texts[i])});
    if (head != Head::kSequenceClassification || !reread) continue;
    auto [first, second] = Halves(texts[i]);
    inputs.push_back({.text = first});
    inputs.push_back(
        {.text = std::move(first), .text_pair = std::move(second)});
  }
  return inputs;
}

// Whether the texts of an input are those that the head reads.
absl::Status CheckFits(const TextInput& input, Head head,
                       const std::string& field) {
  const bool choices = head == Head::kMultipleChoice;
  if (choices == input.choices.empty()) {
    return InputError(field, choices
                                 ? "expected \"choices\": the model chooses "
                                   "among answers"
                                 : "expected no \"choices\": the model does "
                                   "not choose among answers");
  }
  const bool pair = !input.text_pair.empty();
  if (head == Head::kQuestionAnswering && !pair) {
    return InputError(field,
                      "expected a question as \"text\" and its context as "
                      "\"text_pair\"");
  }
  if (pair && head != Head::kQuestionAnswering &&
      head != Head::kSequenceClassification && head != Head::kNone) {
    return InputError(field,
                      "expected no \"text_pair\": the model reads one "
                      "text");
  }
  return absl::OkStatus();
}

// The rows of the first `count` that `wanted` takes.
template <typename Wanted>
std::vector<uint32_t> RowsWhere(size_t count, Wanted wanted) {
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < count; ++row) {
    if (wanted(row)) rows.push_back(row);
  }
  return rows;
}

std::vector<uint32_t> TextRows(const Encoding& encoding) {
  return RowsWhere(encoding.size(), [&](uint32_t row) {
    return encoding.special_tokens_mask[row] == 0;
  });
}

// The masks of the text, else those that are put in, evenly spread.
std::vector<uint32_t> MaskRows(int32_t mask, Encoding* encoding) {
  const std::vector<uint32_t> own =
      RowsWhere(encoding->size(),
                [&](uint32_t row) { return encoding->ids[row] == mask; });
  if (!own.empty()) return own;
  const std::vector<uint32_t> text = TextRows(*encoding);
  if (text.empty()) return {};
  const size_t masks =
      std::clamp(text.size() / kTokensAMask, size_t{1}, kMostMasks);
  std::vector<uint32_t> rows;
  for (size_t i = 1; i <= masks; ++i) {
    rows.push_back(text[i * text.size() / (masks + 1)]);
    encoding->ids[rows.back()] = mask;
  }
  return rows;
}

// What is read of one encoding; without rows if it has nothing to read.
SequenceInput Readings(Encoding encoding, Head head, const TaskModel& model) {
  std::vector<uint32_t> rows;
  Readout readout = Readout::kHeadLogits;
  switch (head) {
    case Head::kSequenceClassification:
    case Head::kMultipleChoice:
      rows = {0};
      break;
    case Head::kTokenClassification:
    case Head::kReplacedTokenDetection:
      rows = TextRows(encoding);
      break;
    case Head::kQuestionAnswering:
      rows = RowsWhere(encoding.size(), [&](uint32_t row) {
        const int8_t context = ContextFirst(head, model) ? 0 : 1;
        return row == 0 || encoding.sequence_ids[row] == context;
      });
      break;
    case Head::kMaskedLanguageModel:
      if (FillsMasks(head, model)) {
        rows = MaskRows(*model.tokenizer->special_ids().mask, &encoding);
        break;
      }
      [[fallthrough]];
    case Head::kNone:
      readout = Readout::kHiddenStates;
      rows = AllRows(encoding.size());
      break;
  }
  return ToSequence(encoding, std::move(rows), readout);
}

absl::StatusOr<CalibrationInput> MakeInput(const TextInput& text,
                                           const std::string& field, Head head,
                                           const TaskModel& model) {
  if (absl::Status s = CheckFits(text, head, field); !s.ok()) return s;
  const LengthRule rule = {.policy = LengthPolicy::kTruncate,
                           .max_tokens = model.max_tokens};
  const absl::StatusOr<TokenSequence> first =
      TokenizeField(*model.tokenizer, text.text, absl::StrCat(field, ".text"));
  if (!first.ok()) return first.status();
  std::vector<std::string> seconds = text.choices;
  if (!text.text_pair.empty()) seconds = {text.text_pair};
  CalibrationInput input;
  const auto add = [&](const TokenSequence* second) -> absl::Status {
    const absl::StatusOr<SequencePlan> plan =
        ContextFirst(head, model)
            ? SequencePlan::Create(*model.tokenizer, *second, &*first, rule,
                                   field)
            : SequencePlan::Create(*model.tokenizer, *first, second, rule,
                                   field);
    if (!plan.ok()) return plan.status();
    SequenceInput sequence = Readings(plan->Encode(0), head, model);
    if (!sequence.rows.empty()) input.sequences.push_back(std::move(sequence));
    return absl::OkStatus();
  };
  if (seconds.empty()) {
    if (absl::Status s = add(nullptr); !s.ok()) return s;
  }
  for (const std::string& second : seconds) {
    const absl::StatusOr<TokenSequence> tokens =
        TokenizeField(*model.tokenizer, second, field);
    if (!tokens.ok()) return tokens.status();
    if (absl::Status s = add(&*tokens); !s.ok()) return s;
  }
  return input;
}

// Adds the sequences of a task that asks one text for labels.
template <typename T>
absl::Status AddLabelSequences(absl::StatusOr<T> task, const std::string& field,
                               Calibration* calibration) {
  if (!task.ok())
    return InputError(field, std::string(task.status().message()));
  while (std::optional<SequenceInput> sequence = task->Next()) {
    // No spans are compared that only one of the precisions may propose.
    auto reading = std::make_shared<model::WordReading>(*sequence->reading);
    std::ranges::fill(reading->thresholds, 1.0f);
    sequence->reading = std::move(reading);
    calibration->inputs.push_back({.sequences = {*std::move(sequence)}});
  }
  return absl::OkStatus();
}

// What ExtractEntities or ClassifyZeroShot would ask of each text.
absl::StatusOr<Calibration> MakeLabelCalibration(
    std::span<const TextInput> texts, const TaskModel& model) {
  // Groups are compared by their classes: of other groups the outputs differ
  // in length where the instances that are counted do.
  const bool classes =
      model.label_head->kind == model::LabelHeadKind::kClasses ||
      ReadsGroups(model);
  Calibration calibration = {
      .rule = classes ? LabelRule::kBestOfRow : LabelRule::kFound,
      .inputs = {}};
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string field = absl::StrCat("calibration[", i, "]");
    if (absl::Status s = CheckFits(texts[i], Head::kNone, field); !s.ok())
      return s;
    if (!texts[i].text_pair.empty())
      return InputError(field,
                        "expected no \"text_pair\": the model reads one "
                        "text");
    absl::Status added = absl::OkStatus();
    if (classes) {
      ZeroShotRequest request = {.inputs = {texts[i].text},
                                 .length_policy = LengthPolicy::kTruncate};
      request.labels.assign(std::begin(kLabels), std::end(kLabels));
      added = AddLabelSequences(ZeroShotTask::Create(std::move(request), model),
                                field, &calibration);
    } else {
      ExtractEntitiesRequest request = {
          .inputs = {texts[i].text}, .length_policy = LengthPolicy::kTruncate};
      for (const char* label : kLabels)
        request.labels.push_back({.name = label});
      added = AddLabelSequences(
          ExtractEntitiesTask::Create(std::move(request), model), field,
          &calibration);
    }
    if (!added.ok()) return added;
  }
  if (!calibration.inputs.empty()) return calibration;
  return absl::InvalidArgumentError(
      "calibration: none of the texts has a word to compare");
}

}  // namespace

absl::StatusOr<Calibration> MakeCalibration(std::span<const TextInput> texts,
                                            Head head, const TaskModel& model) {
  std::vector<TextInput> built_in;
  if (texts.empty()) {
    built_in = BuiltInInputs(head);
    texts = built_in;
  }
  if (model.label_head != nullptr) return MakeLabelCalibration(texts, model);
  Calibration calibration = {.rule = RuleOf(head, model), .inputs = {}};
  for (size_t i = 0; i < texts.size(); ++i) {
    absl::StatusOr<CalibrationInput> input =
        MakeInput(texts[i], absl::StrCat("calibration[", i, "]"), head, model);
    if (!input.ok()) return input.status();
    if (!input->sequences.empty())
      calibration.inputs.push_back(*std::move(input));
  }
  if (calibration.inputs.empty()) {
    return absl::InvalidArgumentError(
        "calibration: none of the texts has a token to compare");
  }
  return calibration;
}

absl::StatusOr<Calibration> ShortestBuiltInInput(Head head,
                                                 const TaskModel& model) {
  const std::vector<TextInput> inputs = BuiltInInputs(head);
  const auto bytes = [](const TextInput& input) {
    size_t sum = input.text.size() + input.text_pair.size();
    for (const std::string& choice : input.choices) sum += choice.size();
    return sum;
  };
  const auto shortest = std::ranges::min_element(inputs, {}, bytes);
  return MakeCalibration(std::span(&*shortest, 1), head, model);
}

}  // namespace deberta::server
