#include "server/tasks/entailment_classes.h"

#include <array>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/hypothesis_template.h"
#include "server/tasks/shared/request_checks.h"

namespace deberta::server {
namespace {

using tokenizer::TokenSequence;

constexpr std::string_view kDefaultTemplate = "This example is {}.";

// A template with many places could ask for gigabytes: the bytes of all
// hypotheses are limited.
constexpr size_t kMaxHypothesisBytes = size_t{1} << 22;

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
    absl::StatusOr<TokenSequence> tokens =
        TokenizeField(tokenizer, hypothesis->Format(request.labels[i]),
                      ZeroShotLabelField(i));
    if (!tokens.ok()) return tokens.status();
    hypotheses.push_back(*std::move(tokens));
  }
  return hypotheses;
}

}  // namespace

absl::StatusOr<EntailmentClassesTask> EntailmentClassesTask::Create(
    Request request, const TaskModel& model) {
  if (!model.entailment.has_value()) {
    return absl::FailedPreconditionError(
        "the model has no label that begins with \"entail\"");
  }
  if (absl::Status s = CheckZeroShotRequest(request); !s.ok()) return s;
  if (!request.prompt.empty()) {
    return InputError("prompt",
                      "expected none: the model judges hypotheses, and reads "
                      "no prompt");
  }
  EntailmentClassesTask task(std::move(request), model, *model.entailment);
  // Before the pairs are made: every result repeats the labels.
  const size_t label_bytes = ZeroShotAnswerBytes(task.request());
  for (size_t i = 0; i < task.request().inputs.size(); ++i) {
    if (absl::Status s = task.AddToAnswer(label_bytes, "labels"); !s.ok()) {
      return s;
    }
  }
  absl::StatusOr<std::vector<TokenSequence>> tokens =
      Hypotheses(task.request(), *model.tokenizer);
  if (!tokens.ok()) return tokens.status();
  const auto hypotheses =
      std::make_shared<const std::vector<TokenSequence>>(*std::move(tokens));
  const LengthRule rule = {
      .policy = task.request().length_policy,
      .max_tokens = model.max_tokens,
      .overlap = static_cast<size_t>(task.request().stride),
      .keep_second = true};
  for (size_t i = 0; i < task.request().inputs.size(); ++i) {
    const std::string& input = task.request().inputs[i];
    if (absl::Status s =
            CheckBeginning(*model.tokenizer, input, rule, InputField(i));
        !s.ok()) {
      return s;
    }
    absl::StatusOr<TokenSequence> text =
        TokenizeField(*model.tokenizer, input, InputField(i));
    if (!text.ok()) return text.status();
    if (absl::Status s =
            task.AddInput(*std::move(text), hypotheses, rule, InputField(i));
        !s.ok()) {
      return s;
    }
  }
  return task;
}

// The reference takes the exponentials without subtracting the greatest: equal,
// but for logits that overflow there.
std::vector<float> EntailmentClassesTask::Scores(
    std::span<const std::vector<float>> logits) const {
  std::vector<float> scores;
  scores.reserve(logits.size());
  if (request().multi_label || logits.size() == 1) {
    const size_t contradiction =
        entailment_ == 0 ? model().labels.size() - 1 : 0;
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

SequenceInput EntailmentClassesTask::Reading(
    size_t, const tokenizer::Encoding& encoding) const {
  return ToSequence(encoding, {0}, Readout::kHeadLogits);
}

absl::Status EntailmentClassesTask::Take(const Part& part,
                                         SequenceOutput output) {
  mean_.Add(output.values);
  if (part.ends_pair) logits_.push_back(mean_.Take());
  if (part.ends_input) AddResult(MakeResult(part.input));
  return absl::OkStatus();
}

ZeroShotResult EntailmentClassesTask::MakeResult(size_t input) {
  return MakeZeroShotResult(request(), Scores(std::exchange(logits_, {})),
                            coverage(input));
}

}  // namespace deberta::server
