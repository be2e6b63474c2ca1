#include "server/tasks/rerank.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/classify.h"
#include "server/tasks/shared/request_checks.h"
#include "server/tasks/shared/scores.h"

namespace deberta::server {
namespace {

using tokenizer::TokenSequence;

std::string DocumentField(size_t index) {
  return absl::StrCat("documents[", index, "]");
}

}  // namespace

absl::StatusOr<RerankTask> RerankTask::Create(Request request,
                                              const TaskModel& model) {
  if (model.labels.size() != 1 || model.multiple_choice) {
    return absl::FailedPreconditionError(
        "the model has no classification head of one label");
  }
  absl::Status status = CheckNotNegative(request.top_k, "top_k");
  status.Update(CheckNotNegative(request.stride, "stride"));
  if (request.documents.empty()) {
    status.Update(InputError(
        "documents", "the list is empty, expected at least one document"));
  }
  if (!status.ok()) return status;
  RerankTask task(std::move(request), model);
  if (absl::Status s = task.AddDocuments(); !s.ok()) return s;
  return task;
}

absl::Status RerankTask::AddDocuments() {
  absl::StatusOr<TokenSequence> query =
      TokenizeField(*model().tokenizer, request().query, "query");
  if (!query.ok()) return query.status();
  const LengthRule rule = {.policy = request().length_policy,
                           .max_tokens = model().max_tokens,
                           .overlap = static_cast<size_t>(request().stride)};
  for (size_t i = 0; i < request().documents.size(); ++i) {
    absl::StatusOr<TokenSequence> document = TokenizeField(
        *model().tokenizer, request().documents[i], DocumentField(i));
    if (!document.ok()) return document.status();
    if (absl::Status s =
            AddInput(*query,
                     std::make_shared<const std::vector<TokenSequence>>(
                         1, *std::move(document)),
                     rule, DocumentField(i));
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

SequenceInput RerankTask::Reading(size_t,
                                  const tokenizer::Encoding& encoding) const {
  return ToSequence(encoding, {0}, Readout::kHeadLogits);
}

absl::Status RerankTask::Take(const Part& part, SequenceOutput output) {
  const float logit = output.values.front();
  if (logits_.size() <= part.input) {
    logits_.push_back(logit);
  } else {
    logits_.back() = std::max(logits_.back(), logit);
  }
  if (part.ends_input && logits_.size() == inputs()) AddResults();
  return absl::OkStatus();
}

// Ordered by the logits: of two, a sigmoid may make one score.
void RerankTask::AddResults() {
  const bool sigmoid =
      !request().raw_scores &&
      DefaultFunction(model()) == ClassifyRequest::Function::kSigmoid;
  const size_t count =
      request().top_k == 0
          ? logits_.size()
          : std::min(logits_.size(), static_cast<size_t>(request().top_k));
  for (const uint32_t index : TopIndices(logits_, count)) {
    AddResult({.index = index,
               .score = sigmoid ? Sigmoid(logits_[index]) : logits_[index],
               .coverage = coverage(index)});
  }
}

}  // namespace deberta::server
