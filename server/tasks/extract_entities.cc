#include "server/tasks/extract_entities.h"

#include <utility>

namespace deberta::server {

absl::StatusOr<ExtractEntitiesTask> ExtractEntitiesTask::Create(
    Request request, const TaskModel& model) {
  if (ReadsGroups(model))
    return CreateEither<ExtractEntitiesTask, EntityGroupsTask>(
        std::move(request), model);
  return CreateEither<ExtractEntitiesTask, WordEntitiesTask>(std::move(request),
                                                             model);
}

}  // namespace deberta::server
