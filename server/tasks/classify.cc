#include "server/tasks/classify.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/shared/request_checks.h"

namespace deberta::server {
namespace {

using tokenizer::TokenSequence;
using Function = ClassifyRequest::Function;

Function Named(ScoreFunction function) {
  switch (function) {
    case ScoreFunction::kSoftmax:
      return Function::kSoftmax;
    case ScoreFunction::kSigmoid:
      return Function::kSigmoid;
    case ScoreFunction::kNone:
      return Function::kNone;
  }
  return Function::kNone;
}

Function Resolve(Function function, const TaskModel& model) {
  if (function != Function::kPipeline) return function;
  if (model.multiple_choice) return Function::kSoftmax;
  if (model.function.has_value()) return Named(*model.function);
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

Function DefaultFunction(const TaskModel& model) {
  return Resolve(Function::kPipeline, model);
}

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
      .policy = task.request().length_policy,
      .max_tokens = model.max_tokens,
      .overlap = static_cast<size_t>(task.request().stride)};
  if (absl::Status s = model.multiple_choice
                           ? task.AddChoices(rule)
                           : task.AddTextInputs(task.request().inputs, rule);
      !s.ok()) {
    return s;
  }
  if (absl::Status s = task.CheckMarkers(); !s.ok()) return s;
  if (absl::Status s = task.CheckAnswer(); !s.ok()) return s;
  return task;
}

ClassifyTask::ClassifyTask(Request request, const TaskModel& model)
    : RequestTask(std::move(request), model,
                  model.multiple_choice ? 1 : model.labels.size()) {}

absl::Status ClassifyTask::AddChoices(const LengthRule& rule) {
  const tokenizer::Tokenizer& tokenizer = *model().tokenizer;
  for (size_t i = 0; i < request().inputs.size(); ++i) {
    const TextInput& input = request().inputs[i];
    if (absl::Status s =
            CheckBeginning(tokenizer, input.text, rule, InputField(i));
        !s.ok()) {
      return s;
    }
    absl::StatusOr<TokenSequence> text =
        TokenizeField(tokenizer, input.text, InputField(i, "text"));
    if (!text.ok()) return text.status();
    absl::StatusOr<std::vector<TokenSequence>> choices =
        TokenizeChoices(tokenizer, input, i);
    if (!choices.ok()) return choices.status();
    if (absl::Status s =
            AddInput(*std::move(text),
                     std::make_shared<const std::vector<TokenSequence>>(
                         *std::move(choices)),
                     rule, InputField(i));
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

absl::Status ClassifyTask::CheckMarkers() const {
  if (!model().marker.has_value()) return absl::OkStatus();
  for (size_t i = 0; i < inputs(); ++i) {
    const SequencePlan plan = Plan(i, 0);
    for (size_t window = 0; window < plan.size(); ++window) {
      const std::vector<int32_t> ids = plan.Encode(window).ids;
      if (std::ranges::find(ids, *model().marker) != ids.end()) continue;
      return InputError(
          InputField(i),
          absl::StrCat(
              "lacks the token that the model's head reads: ",
              std::string(model().tokenizer->IdToToken(*model().marker))));
    }
  }
  return absl::OkStatus();
}

std::span<const std::string> ClassifyTask::LabelsOf(size_t input) const {
  if (model().multiple_choice) return request().inputs[input].choices;
  return model().labels;
}

size_t ClassifyTask::AnswerBytes(std::span<const std::string> labels) const {
  size_t total = 0;
  size_t longest = 0;
  for (const std::string& label : labels) {
    total += label.size();
    longest = std::max(longest, label.size());
  }
  // Several outputs have that many each, and the first is there twice.
  const size_t count = model().outputs == nullptr ? LabelCount(labels.size())
                                                  : 2 * labels.size();
  return count * kPieceBytes + std::min(2 * total, count * longest) +
         (request().return_logits ? labels.size() * sizeof(float) : 0);
}

absl::Status ClassifyTask::CheckAnswer() {
  const size_t bytes = AnswerBytes(model().labels);
  for (size_t i = 0; i < inputs(); ++i) {
    if (absl::Status s = AddToAnswer(
            model().multiple_choice ? AnswerBytes(LabelsOf(i)) : bytes,
            "inputs");
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

size_t ClassifyTask::LabelCount(size_t labels) const {
  return request().top_k == 0
             ? labels
             : std::min(labels, static_cast<size_t>(request().top_k));
}

SequenceInput ClassifyTask::Reading(size_t,
                                    const tokenizer::Encoding& encoding) const {
  return ToSequence(encoding, {0}, Readout::kHeadLogits);
}

absl::Status ClassifyTask::Take(const Part& part, SequenceOutput output) {
  mean_.Add(output.values);
  if (part.ends_pair) {
    const std::vector<float> mean = mean_.Take();
    logits_.insert(logits_.end(), mean.begin(), mean.end());
  }
  if (part.ends_input) AddResult(MakeResult(part.input));
  return absl::OkStatus();
}

std::vector<LabelScore> ClassifyTask::BestLabels(
    std::span<const float> scores, std::span<const std::string> labels,
    size_t first) const {
  std::vector<LabelScore> best;
  for (const uint32_t index : TopIndices(scores, LabelCount(labels.size()))) {
    best.push_back({.label = labels[index],
                    .index = static_cast<int32_t>(first + index),
                    .score = scores[index]});
  }
  return best;
}

std::vector<ClassifyOutput> ClassifyTask::OutputsOf(
    std::span<const float> logits) const {
  std::vector<ClassifyOutput> results;
  for (const HeadOutput& output : model().outputs->outputs) {
    const auto columns = logits.subspan(output.first, output.columns);
    const Function function = request().function == Function::kPipeline
                                  ? Named(output.function)
                                  : request().function;
    const std::vector<float> scores =
        Scores({columns.begin(), columns.end()}, function);
    ClassifyOutput& result = results.emplace_back();
    result.name = output.name;
    result.labels =
        BestLabels(scores, model().labels.subspan(output.first, output.columns),
                   output.first);
    if (!output.score.has_value()) continue;
    // Of the publisher's scores, whatever function the request asks for.
    const std::vector<float> own =
        Scores({columns.begin(), columns.end()}, Named(output.function));
    double sum = 0;
    for (size_t i = 0; i < own.size(); ++i)
      sum += output.score->weights[i] * static_cast<double>(own[i]);
    result.score = Rounded(sum / output.score->divisor, output.score->rounding);
  }
  for (const CombinedScore& combined : model().outputs->scores) {
    double sum = 0;
    for (const auto& [index, weight] : combined.of)
      sum += weight * results[index].score.value_or(0);
    results.push_back(
        {.name = combined.name, .score = Rounded(sum, combined.rounding)});
  }
  return results;
}

ClassifyResult ClassifyTask::MakeResult(size_t input) {
  const std::vector<float> logits = std::exchange(logits_, {});
  Result result;
  if (model().outputs != nullptr) {
    result.outputs = OutputsOf(logits);
    result.labels = result.outputs.front().labels;
  } else {
    result.labels = BestLabels(
        Scores(logits, Resolve(request().function, model())), LabelsOf(input),
        /*first=*/0);
  }
  if (request().return_logits) result.logits = logits;
  result.coverage = coverage(input);
  return result;
}

}  // namespace deberta::server
