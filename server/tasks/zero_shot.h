// Zero-shot classification: labels of the caller's choice, by a model of
// natural language inference or by a head that reads labels.

#ifndef SERVER_TASKS_ZERO_SHOT_H_
#define SERVER_TASKS_ZERO_SHOT_H_

#include "absl/status/statusor.h"
#include "server/tasks/class_groups.h"
#include "server/tasks/entailment_classes.h"
#include "server/tasks/label_classes.h"
#include "server/tasks/shared/either_task.h"
#include "server/tasks/shared/task.h"
#include "server/tasks/zero_shot_request.h"

namespace deberta::server {

class ZeroShotTask
    : public EitherTask<ZeroShotRequest, ZeroShotResult, EntailmentClassesTask,
                        LabelClassesTask, ClassGroupsTask> {
 public:
  using EitherTask::EitherTask;

  // FailedPrecondition if the model has neither a label of entailment nor such
  // a head.
  static absl::StatusOr<ZeroShotTask> Create(Request request,
                                             const TaskModel& model);
};
static_assert(Task<ZeroShotTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_ZERO_SHOT_H_
