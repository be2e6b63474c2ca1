// Zero-shot classification by a model of natural language inference (spec
// 3.10): each label is made a hypothesis that the model judges.

#ifndef SERVER_TASKS_ENTAILMENT_CLASSES_H_
#define SERVER_TASKS_ENTAILMENT_CLASSES_H_

#include <cstddef>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/shared/planned_task.h"
#include "server/tasks/shared/scores.h"
#include "server/tasks/shared/task.h"
#include "server/tasks/zero_shot_request.h"

namespace deberta::server {

class EntailmentClassesTask final
    : public RequestTask<ZeroShotRequest, ZeroShotResult> {
 public:
  // FailedPrecondition if the model has no label of entailment.
  static absl::StatusOr<EntailmentClassesTask> Create(Request request,
                                                      const TaskModel& model);

 private:
  EntailmentClassesTask(Request request, const TaskModel& model,
                        size_t entailment)
      : RequestTask(std::move(request), model, model.labels.size()),
        entailment_(entailment) {}

  SequenceInput Reading(size_t input,
                        const tokenizer::Encoding& encoding) const override;
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
static_assert(Task<EntailmentClassesTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_ENTAILMENT_CLASSES_H_
