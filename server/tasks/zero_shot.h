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
#include "server/tasks/shared/planned_task.h"
#include "server/tasks/shared/scores.h"
#include "server/tasks/shared/task.h"

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

class ZeroShotTask final : public RequestTask<ZeroShotRequest, ZeroShotResult> {
 public:
  // FailedPrecondition if the model has no label of entailment.
  static absl::StatusOr<ZeroShotTask> Create(Request request,
                                             const TaskModel& model);

 private:
  ZeroShotTask(Request request, const TaskModel& model, size_t entailment)
      : RequestTask(std::move(request), model, model.labels.size()),
        entailment_(entailment) {}

  SequenceInput Reading(const tokenizer::Encoding& encoding) const override;
  absl::Status Take(const Part& part, SequenceOutput output) override;

  // The score of each label from the logits of its pair.
  std::vector<float> Scores(std::span<const std::vector<float>> logits) const;
  // Of an input whose logits are all there.
  Result MakeResult(size_t input);

  size_t entailment_;  // column of the logits
  LogitMean mean_;
  // Of the input that is taken: of each label's pair so far.
  std::vector<std::vector<float>> logits_;
};
static_assert(Task<ZeroShotTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_ZERO_SHOT_H_
