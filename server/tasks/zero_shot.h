// Zero-shot classification (spec 3.10): labels of the caller's choice, each
// made a hypothesis that a model of natural language inference judges.

#ifndef SERVER_TASKS_ZERO_SHOT_H_
#define SERVER_TASKS_ZERO_SHOT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/sequence_plan.h"
#include "server/tasks/task.h"

namespace deberta::server {

struct ZeroShotRequest {
  std::vector<std::string> inputs = {};
  std::vector<std::string> labels = {};
  std::string hypothesis_template = {};  // "": "This example is {}."
  bool multi_label = false;
  LengthPolicy length_policy = LengthPolicy::kReject;
  int64_t stride = 0;  // overlap of windows, in tokens
};

struct ZeroShotResult {
  // Best first; ties keep the lower index first.
  std::vector<LabelScore> labels = {};
  Coverage coverage = {};  // of the longest pair of text and hypothesis
};

class ZeroShotTask {
 public:
  using Request = ZeroShotRequest;
  using Result = ZeroShotResult;

  // FailedPrecondition if the model has no label of entailment.
  static absl::StatusOr<ZeroShotTask> Create(Request request,
                                             const TaskModel& model);
  const std::vector<SequenceInput>& sequences() const { return sequences_; }
  std::vector<Coverage> coverage() const;
  absl::StatusOr<std::vector<Result>> Finish(
      std::span<const SequenceOutput> outputs) const;

 private:
  ZeroShotTask(Request request, const TaskModel& model, size_t entailment)
      : request_(std::move(request)), model_(model), entailment_(entailment) {}

  // The score of each label from the logits of its pair.
  std::vector<float> Scores(std::span<const std::vector<float>> logits) const;

  Request request_;
  TaskModel model_;
  size_t entailment_;  // column of the logits
  std::vector<SequenceInput> sequences_;
  std::vector<PlannedInput> inputs_;  // a pair is a label
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_ZERO_SHOT_H_
