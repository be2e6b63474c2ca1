#include "server/tasks/zero_shot.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/hypothesis_template.h"
#include "server/tasks/request_checks.h"
#include "server/tasks/scores.h"

namespace deberta::server {
namespace {

using tokenizer::TokenSequence;

constexpr std::string_view kDefaultTemplate = "This example is {}.";

// A template with many places, or one long label for many inputs, could ask for
// gigabytes: the bytes of all hypotheses, and of the labels in all results, are
// limited.
constexpr size_t kMaxHypothesisBytes = size_t{1} << 22;
constexpr size_t kMaxResultBytes = size_t{1} << 26;

std::string LabelField(size_t index) {
  return absl::StrCat("labels[", index, "]");
}

absl::Status CheckRequest(const ZeroShotRequest& request) {
  if (absl::Status s = CheckAnyInputs(request.inputs.size()); !s.ok()) return s;
  if (absl::Status s = CheckNotNegative(request.stride, "stride"); !s.ok()) {
    return s;
  }
  if (request.labels.empty()) {
    return InputError("labels",
                      "the list is empty, expected at least one label");
  }
  size_t label_bytes = 0;
  for (size_t i = 0; i < request.labels.size(); ++i) {
    if (request.labels[i].empty()) {
      return InputError(LabelField(i), "must not be empty");
    }
    label_bytes += request.labels[i].size();
  }
  if (label_bytes > kMaxResultBytes / request.inputs.size()) {
    return InputError(
        "labels", absl::StrCat("have ", label_bytes, " bytes, which ",
                               request.inputs.size(), " results repeat; all ",
                               "results may hold ", kMaxResultBytes));
  }
  return absl::OkStatus();
}

// The tokens of each label's hypothesis.
absl::StatusOr<std::vector<TokenSequence>> Hypotheses(
    const ZeroShotRequest& request, const tokenizer::Tokenizer& tokenizer) {
  absl::StatusOr<HypothesisTemplate> hypothesis = HypothesisTemplate::Parse(
      request.hypothesis_template.empty() ? kDefaultTemplate
                                          : request.hypothesis_template);
  if (!hypothesis.ok()) return hypothesis.status();
  size_t bytes = 0;
  for (const std::string& label : request.labels) {
    bytes += hypothesis->FormattedBytes(label.size());
    if (bytes > kMaxHypothesisBytes) {
      return InputError("labels",
                        absl::StrCat("make hypotheses of more than ",
                                     kMaxHypothesisBytes, " bytes together"));
    }
  }
  std::vector<TokenSequence> hypotheses;
  hypotheses.reserve(request.labels.size());
  for (size_t i = 0; i < request.labels.size(); ++i) {
    absl::StatusOr<TokenSequence> tokens = TokenizeField(
        tokenizer, hypothesis->Format(request.labels[i]), LabelField(i));
    if (!tokens.ok()) return tokens.status();
    hypotheses.push_back(*std::move(tokens));
  }
  return hypotheses;
}

}  // namespace

absl::StatusOr<ZeroShotTask> ZeroShotTask::Create(Request request,
                                                  const TaskModel& model) {
  if (!model.entailment.has_value()) {
    return absl::FailedPreconditionError(
        "the model has no label that begins with \"entail\"");
  }
  if (absl::Status s = CheckRequest(request); !s.ok()) return s;
  absl::StatusOr<std::vector<TokenSequence>> hypotheses =
      Hypotheses(request, *model.tokenizer);
  if (!hypotheses.ok()) return hypotheses.status();

  ZeroShotTask task(std::move(request), model, *model.entailment);
  const LengthRule rule = {.policy = task.request_.length_policy,
                           .max_tokens = model.max_tokens,
                           .overlap = static_cast<size_t>(task.request_.stride),
                           .keep_second = true};
  SequencePlanner planner(*model.tokenizer);
  for (size_t i = 0; i < task.request_.inputs.size(); ++i) {
    absl::StatusOr<TokenSequence> text =
        TokenizeField(*model.tokenizer, task.request_.inputs[i], InputField(i));
    if (!text.ok()) return text.status();
    absl::StatusOr<std::vector<SequencePlan>> plans =
        planner.PlanPairs(*text, *hypotheses, rule, InputField(i));
    if (!plans.ok()) return plans.status();
    task.inputs_.push_back(AddFirstRows(*plans, &task.sequences_));
  }
  return task;
}

std::vector<Coverage> ZeroShotTask::coverage() const {
  std::vector<Coverage> coverage;
  for (const PlannedInput& input : inputs_) coverage.push_back(input.coverage);
  return coverage;
}

// The reference takes the exponentials without subtracting the greatest: equal,
// but for logits that overflow there.
std::vector<float> ZeroShotTask::Scores(
    std::span<const std::vector<float>> logits) const {
  std::vector<float> scores;
  scores.reserve(logits.size());
  if (request_.multi_label || logits.size() == 1) {
    const size_t contradiction =
        entailment_ == 0 ? model_.labels.size() - 1 : 0;
    for (const std::vector<float>& pair : logits) {
      std::array<float, 2> both = {pair[contradiction], pair[entailment_]};
      Softmax(both);
      scores.push_back(both[1]);
    }
    return scores;
  }
  for (const std::vector<float>& pair : logits) {
    scores.push_back(pair[entailment_]);
  }
  Softmax(scores);
  return scores;
}

absl::StatusOr<std::vector<ZeroShotResult>> ZeroShotTask::Finish(
    std::span<const SequenceOutput> outputs) const {
  if (absl::Status s = CheckOutputs(sequences_, outputs, model_.labels.size());
      !s.ok()) {
    return s;
  }
  std::vector<ZeroShotResult> results;
  results.reserve(inputs_.size());
  size_t next = 0;
  for (const PlannedInput& input : inputs_) {
    std::vector<std::vector<float>> logits;
    logits.reserve(input.windows.size());
    for (const size_t windows : input.windows) {
      logits.push_back(MeanLogits(outputs.subspan(next, windows)));
      next += windows;
    }
    const std::vector<float> scores = Scores(logits);
    ZeroShotResult& result = results.emplace_back();
    for (const uint32_t index : TopIndices(scores, scores.size())) {
      result.labels.push_back({.label = request_.labels[index],
                               .index = static_cast<int32_t>(index),
                               .score = scores[index]});
    }
    result.coverage = input.coverage;
  }
  return results;
}

}  // namespace deberta::server
