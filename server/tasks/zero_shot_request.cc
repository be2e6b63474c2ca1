#include "server/tasks/zero_shot_request.h"

#include "absl/strings/str_cat.h"
#include "server/tasks/shared/answer_budget.h"
#include "server/tasks/shared/request_checks.h"
#include "server/tasks/shared/scores.h"

namespace deberta::server {

std::string ZeroShotLabelField(size_t index) {
  return absl::StrCat("labels[", index, "]");
}

absl::Status CheckZeroShotRequest(const ZeroShotRequest& request) {
  if (absl::Status s = CheckAnyInputs(request.inputs.size()); !s.ok()) return s;
  if (absl::Status s = CheckNotNegative(request.stride, "stride"); !s.ok()) {
    return s;
  }
  if (request.labels.empty()) {
    return InputError("labels",
                      "the list is empty, expected at least one label");
  }
  for (size_t i = 0; i < request.labels.size(); ++i) {
    if (request.labels[i].empty()) {
      return InputError(ZeroShotLabelField(i), "must not be empty");
    }
  }
  return absl::OkStatus();
}

size_t ZeroShotAnswerBytes(const ZeroShotRequest& request) {
  size_t bytes = 0;
  for (const std::string& label : request.labels)
    bytes += kPieceBytes + label.size();
  return bytes;
}

ZeroShotResult MakeZeroShotResult(const ZeroShotRequest& request,
                                  std::span<const float> scores,
                                  const Coverage& coverage) {
  ZeroShotResult result = {.labels = {}, .coverage = coverage};
  for (const uint32_t index : TopIndices(scores, scores.size())) {
    result.labels.push_back({.label = request.labels[index],
                             .index = static_cast<int32_t>(index),
                             .score = scores[index]});
  }
  return result;
}

}  // namespace deberta::server
