// What is asked of zero-shot classification and what it gives, by whichever
// head.

#ifndef SERVER_TASKS_ZERO_SHOT_REQUEST_H_
#define SERVER_TASKS_ZERO_SHOT_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

struct ZeroShotRequest {
  std::vector<std::string> inputs = {};
  std::vector<std::string> labels = {};
  // Of a model of entailment; "": "This example is {}.".
  std::string hypothesis_template = {};
  // Of a head that reads labels: what the model reads before the text.
  std::string prompt = {};
  bool multi_label = false;
  LengthPolicy length_policy = LengthPolicy::kReject;
  int64_t stride = 0;  // overlap of windows, in tokens
};

struct ZeroShotResult {
  // Best first; ties keep the lower index first.
  std::vector<LabelScore> labels = {};
  Coverage coverage = {};  // of the longest pair of text and hypothesis
};

// "labels[3]".
std::string ZeroShotLabelField(size_t index);

// What does not depend on the head.
absl::Status CheckZeroShotRequest(const ZeroShotRequest& request);

// Bytes of each result, about.
size_t ZeroShotAnswerBytes(const ZeroShotRequest& request);

ZeroShotResult MakeZeroShotResult(const ZeroShotRequest& request,
                                  std::span<const float> scores,
                                  const Coverage& coverage);

}  // namespace deberta::server

#endif  // SERVER_TASKS_ZERO_SHOT_REQUEST_H_
