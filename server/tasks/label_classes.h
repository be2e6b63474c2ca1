// Zero-shot classification by a head of GLiClass: all labels stand beside the
// text, in one sequence.

#ifndef SERVER_TASKS_LABEL_CLASSES_H_
#define SERVER_TASKS_LABEL_CLASSES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tasks/label_prompt.h"
#include "server/tasks/shared/planned_task.h"
#include "server/tasks/shared/scores.h"
#include "server/tasks/shared/task.h"
#include "server/tasks/zero_shot_request.h"

namespace deberta::server {

class LabelClassesTask final
    : public RequestTask<ZeroShotRequest, ZeroShotResult> {
 public:
  // REQUIRES: the model has a head of kClasses.
  static absl::StatusOr<LabelClassesTask> Create(Request request,
                                                 const TaskModel& model);

 private:
  LabelClassesTask(Request request, const TaskModel& model, size_t labels);

  absl::Status MakePrompt();
  absl::Status AddText(size_t index);
  bool labels_first() const { return model().label_head->labels_first; }
  const std::vector<int32_t>& InstructionOf(size_t input) const {
    return instructions_[labels_first() ? input : 0];
  }
  // With the labels and the prompt beside the text.
  SequenceInput Reading(size_t input,
                        const tokenizer::Encoding& encoding) const override;
  absl::Status Take(const Part& part, SequenceOutput output) override;

  LabelPrompt prompt_;  // ends with the separator
  // What is read of the request's prompt: of each input where it depends on the
  // text that follows, else one for all.
  std::vector<std::vector<int32_t>> instructions_;
  size_t leading_ = 0;  // template tokens before a text
  LogitMean mean_;
};
static_assert(Task<LabelClassesTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_LABEL_CLASSES_H_
