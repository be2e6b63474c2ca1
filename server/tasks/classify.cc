#include "server/tasks/classify.h"

#include <algorithm>
#include <utility>

#include "server/tasks/request_checks.h"
#include "server/tasks/scores.h"
#include "server/tasks/sequence_plan.h"

namespace deberta::server {
namespace {

using Function = ClassifyRequest::Function;

Function Resolve(Function function, const model::Config& config) {
  if (function != Function::kPipeline) return function;
  if (config.problem_type == model::ProblemType::kRegression) {
    return Function::kNone;
  }
  if (config.problem_type == model::ProblemType::kMultiLabel ||
      config.labels.size() == 1) {
    return Function::kSigmoid;
  }
  return Function::kSoftmax;
}

// The unweighted mean of the windows' logits.
std::vector<float> MeanLogits(std::span<const SequenceOutput> windows) {
  if (windows.size() == 1) return windows[0].values;
  std::vector<double> sums(windows[0].width);
  for (const SequenceOutput& window : windows) {
    for (size_t i = 0; i < sums.size(); ++i) {
      sums[i] += static_cast<double>(window.values[i]);
    }
  }
  std::vector<float> mean(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) {
    mean[i] = static_cast<float>(sums[i] / static_cast<double>(windows.size()));
  }
  return mean;
}

std::vector<float> Scores(std::vector<float> logits, Function function) {
  if (function == Function::kSoftmax) Softmax(logits);
  if (function == Function::kSigmoid) {
    for (float& value : logits) value = Sigmoid(value);
  }
  return logits;
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
  absl::StatusOr<std::vector<SequencePlan>> plans =
      PlanTextInputs(*model.tokenizer, task.request_.inputs,
                     {.policy = task.request_.length_policy,
                      .max_tokens = model.max_tokens,
                      .overlap = static_cast<size_t>(task.request_.stride)});
  if (!plans.ok()) return plans.status();
  for (const SequencePlan& plan : *plans) {
    task.coverage_.push_back(plan.coverage);
    for (const tokenizer::Encoding& encoding : plan.encodings) {
      task.sequences_.push_back(
          ToSequence(encoding, {0}, Readout::kHeadLogits));
    }
  }
  return task;
}

std::vector<Coverage> ClassifyTask::coverage() const { return coverage_; }

absl::StatusOr<std::vector<ClassifyResult>> ClassifyTask::Finish(
    std::span<const SequenceOutput> outputs) const {
  const std::vector<std::string>& labels = model_.config->labels;
  if (absl::Status s = CheckOutputs(sequences_, outputs, labels.size());
      !s.ok()) {
    return s;
  }
  const Function function = Resolve(request_.function, *model_.config);
  const size_t count =
      request_.top_k == 0 ? labels.size() : static_cast<size_t>(request_.top_k);
  std::vector<ClassifyResult> results;
  results.reserve(coverage_.size());
  size_t next = 0;
  for (const Coverage& coverage : coverage_) {
    ClassifyResult& result = results.emplace_back();
    std::vector<float> logits =
        MeanLogits(outputs.subspan(next, coverage.windows));
    next += coverage.windows;
    const std::vector<float> scores = Scores(logits, function);
    for (const uint32_t index : TopIndices(scores, count)) {
      result.labels.push_back({.label = labels[index],
                               .index = static_cast<int32_t>(index),
                               .score = scores[index]});
    }
    if (request_.return_logits) result.logits = std::move(logits);
    result.coverage = coverage;
  }
  return results;
}

}  // namespace deberta::server
