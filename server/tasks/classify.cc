#include "server/tasks/classify.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/request_checks.h"
#include "server/tasks/scores.h"

namespace deberta::server {
namespace {

using tokenizer::TokenSequence;
using Function = ClassifyRequest::Function;

Function Resolve(Function function, const TaskModel& model) {
  if (function != Function::kPipeline) return function;
  if (model.multiple_choice) return Function::kSoftmax;
  const model::Config& config = *model.config;
  if (config.problem_type == model::ProblemType::kRegression) {
    return Function::kNone;
  }
  if (config.problem_type == model::ProblemType::kMultiLabel ||
      model.labels.size() == 1) {
    return Function::kSigmoid;
  }
  return Function::kSoftmax;
}

std::vector<float> Scores(std::vector<float> logits, Function function) {
  if (function == Function::kSoftmax) Softmax(logits);
  if (function == Function::kSigmoid) {
    for (float& value : logits) value = Sigmoid(value);
  }
  return logits;
}

// The tokens of each choice of the input at `index`.
absl::StatusOr<std::vector<TokenSequence>> TokenizeChoices(
    const tokenizer::Tokenizer& tokenizer, const TextInput& input,
    size_t index) {
  if (input.choices.empty()) {
    return InputError(InputField(index, "choices"),
                      "is empty, but the model chooses among answers");
  }
  if (!input.text_pair.empty()) {
    return InputError(InputField(index, "text_pair"),
                      "must be absent, the choices are the second texts");
  }
  std::vector<TokenSequence> choices;
  choices.reserve(input.choices.size());
  for (size_t i = 0; i < input.choices.size(); ++i) {
    absl::StatusOr<TokenSequence> choice =
        TokenizeField(tokenizer, input.choices[i],
                      InputField(index, absl::StrCat("choices[", i, "]")));
    if (!choice.ok()) return choice.status();
    choices.push_back(*std::move(choice));
  }
  return choices;
}

}  // namespace

absl::StatusOr<ClassifyTask> ClassifyTask::Create(Request request,
                                                  const TaskModel& model) {
  if (absl::Status s = CheckAnyInputs(request.inputs.size()); !s.ok()) return s;
  if (absl::Status s = CheckNotNegative(request.top_k, "top_k"); !s.ok()) {
    return s;
  }
  if (absl::Status s = CheckNotNegative(request.stride, "stride"); !s.ok()) {
    return s;
  }
  ClassifyTask task(std::move(request), model);
  const LengthRule rule = {
      .policy = task.request_.length_policy,
      .max_tokens = model.max_tokens,
      .overlap = static_cast<size_t>(task.request_.stride)};
  if (absl::Status s = model.multiple_choice ? task.PlanChoices(rule)
                                             : task.PlanInputs(rule);
      !s.ok()) {
    return s;
  }
  return task;
}

absl::Status ClassifyTask::PlanInputs(const LengthRule& rule) {
  absl::StatusOr<std::vector<SequencePlan>> plans =
      PlanTextInputs(*model_.tokenizer, request_.inputs, rule);
  if (!plans.ok()) return plans.status();
  for (const SequencePlan& plan : *plans) {
    inputs_.push_back(AddFirstRows(std::span(&plan, 1), &sequences_));
  }
  return absl::OkStatus();
}

absl::Status ClassifyTask::PlanChoices(const LengthRule& rule) {
  const tokenizer::Tokenizer& tokenizer = *model_.tokenizer;
  SequencePlanner planner(tokenizer);
  for (size_t i = 0; i < request_.inputs.size(); ++i) {
    const TextInput& input = request_.inputs[i];
    absl::StatusOr<TokenSequence> text =
        TokenizeField(tokenizer, input.text, InputField(i, "text"));
    if (!text.ok()) return text.status();
    absl::StatusOr<std::vector<TokenSequence>> choices =
        TokenizeChoices(tokenizer, input, i);
    if (!choices.ok()) return choices.status();
    absl::StatusOr<std::vector<SequencePlan>> plans =
        planner.PlanPairs(*text, *choices, rule, InputField(i));
    if (!plans.ok()) return plans.status();
    inputs_.push_back(AddFirstRows(*plans, &sequences_));
  }
  return absl::OkStatus();
}

std::vector<Coverage> ClassifyTask::coverage() const {
  std::vector<Coverage> coverage;
  for (const PlannedInput& input : inputs_) coverage.push_back(input.coverage);
  return coverage;
}

absl::StatusOr<std::vector<ClassifyResult>> ClassifyTask::Finish(
    std::span<const SequenceOutput> outputs) const {
  const size_t width = model_.multiple_choice ? 1 : model_.labels.size();
  if (absl::Status s = CheckOutputs(sequences_, outputs, width); !s.ok()) {
    return s;
  }
  const Function function = Resolve(request_.function, model_);
  std::vector<ClassifyResult> results;
  results.reserve(inputs_.size());
  size_t next = 0;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    std::span<const std::string> labels = model_.labels;
    if (model_.multiple_choice) labels = request_.inputs[i].choices;
    std::vector<float> logits;
    for (const size_t windows : inputs_[i].windows) {
      const std::vector<float> mean =
          MeanLogits(outputs.subspan(next, windows));
      logits.insert(logits.end(), mean.begin(), mean.end());
      next += windows;
    }
    ClassifyResult& result = results.emplace_back();
    const std::vector<float> scores = Scores(logits, function);
    const size_t count = request_.top_k == 0
                             ? labels.size()
                             : static_cast<size_t>(request_.top_k);
    for (const uint32_t index : TopIndices(scores, count)) {
      result.labels.push_back({.label = labels[index],
                               .index = static_cast<int32_t>(index),
                               .score = scores[index]});
    }
    if (request_.return_logits) result.logits = std::move(logits);
    result.coverage = inputs_[i].coverage;
  }
  return results;
}

}  // namespace deberta::server
