// Entities of the caller's own labels, by the head of a GLiNER or a GLiNER2.

#ifndef SERVER_TASKS_EXTRACT_ENTITIES_H_
#define SERVER_TASKS_EXTRACT_ENTITIES_H_

#include "absl/status/statusor.h"
#include "server/tasks/entities_request.h"
#include "server/tasks/entity_groups.h"
#include "server/tasks/shared/either_task.h"
#include "server/tasks/shared/task.h"
#include "server/tasks/word_entities.h"

namespace deberta::server {

class ExtractEntitiesTask
    : public EitherTask<ExtractEntitiesRequest, ExtractEntitiesResult,
                        WordEntitiesTask, EntityGroupsTask> {
 public:
  using EitherTask::EitherTask;

  // FailedPrecondition if the model's head does not find entities.
  static absl::StatusOr<ExtractEntitiesTask> Create(Request request,
                                                    const TaskModel& model);
};
static_assert(Task<ExtractEntitiesTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_EXTRACT_ENTITIES_H_
