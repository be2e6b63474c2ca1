#include "server/tasks/entities_request.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/tasks/shared/request_checks.h"
#include "server/tasks/shared/scores.h"
#include "server/tasks/shared/text_location.h"
#include "tokenizer/text/text_index.h"

namespace deberta::server {
namespace {

std::vector<LabelScore> BestLabels(const ExtractEntitiesRequest& request,
                                   const std::vector<float>& scores) {
  std::vector<LabelScore> labels;
  for (const uint32_t index :
       TopIndices(scores, static_cast<size_t>(request.top_k))) {
    labels.push_back({.label = request.labels[index].name,
                      .index = static_cast<int32_t>(index),
                      .score = scores[index]});
  }
  return labels;
}

}  // namespace

absl::Status CheckThreshold(float threshold, std::string_view field) {
  if (threshold > 0 && threshold < 1) return absl::OkStatus();
  return InputError(
      field,
      absl::StrCat("expected more than 0 and less than 1, got ", threshold));
}

absl::Status CheckEntitiesRequest(const ExtractEntitiesRequest& request) {
  absl::Status status = CheckAnyInputs(request.inputs.size());
  status.Update(CheckNotNegative(request.stride, "stride"));
  status.Update(CheckNotNegative(request.top_k, "top_k"));
  status.Update(CheckThreshold(request.threshold, "threshold"));
  for (size_t i = 0; i < request.labels.size(); ++i) {
    if (!request.labels[i].threshold.has_value()) continue;
    status.Update(CheckThreshold(*request.labels[i].threshold,
                                 absl::StrCat("labels[", i, "].threshold")));
  }
  return status;
}

std::vector<float> Thresholds(const ExtractEntitiesRequest& request) {
  std::vector<float> thresholds;
  for (const EntityLabel& label : request.labels) {
    thresholds.push_back(label.threshold.value_or(request.threshold));
  }
  return thresholds;
}

absl::Status TooManyCandidates(size_t input) {
  return InputError(
      InputField(input),
      absl::StrCat("has more than ", SpanCandidates::kMost,
                   " spans, or scores of them, above the threshold: expected a "
                   "higher threshold, fewer labels or a shorter text"));
}

absl::StatusOr<std::vector<ExtractedEntity>> TakeEntities(
    const ExtractEntitiesRequest& request, std::string_view input, size_t index,
    const std::vector<tokenizer::Span>& words, const OverlapRule& overlap,
    SpanCandidates& candidates, AnswerBudget& answer) {
  std::vector<ExtractedEntity> entities;
  if (words.empty()) return entities;
  const tokenizer::TextIndex places(input);
  for (const EntitySpan& span : ChooseSpans(candidates.Take(), overlap)) {
    TextLocation location =
        Locate(places, {words[span.first].start, words[span.last].end},
               request.offset_unit, /*trim=*/false);
    ExtractedEntity& entity = entities.emplace_back();
    entity = {.label = request.labels[span.label].name,
              .label_index = span.label,
              .score = span.score,
              .text = std::move(location.text),
              .start = location.start,
              .end = location.end,
              .labels = request.top_k == 0
                            ? std::vector<LabelScore>()
                            : BestLabels(request, candidates.Scores(span))};
    size_t bytes = kPieceBytes + entity.label.size() + entity.text.size();
    for (const LabelScore& label : entity.labels) {
      bytes += kPieceBytes + label.label.size();
    }
    if (absl::Status s = answer.Add(bytes, InputField(index)); !s.ok()) {
      return s;
    }
  }
  candidates.ForgetScores();
  return entities;
}

}  // namespace deberta::server
