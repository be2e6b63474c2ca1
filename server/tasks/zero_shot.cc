#include "server/tasks/zero_shot.h"

#include <utility>

namespace deberta::server {

absl::StatusOr<ZeroShotTask> ZeroShotTask::Create(Request request,
                                                  const TaskModel& model) {
  if (ReadsGroups(model))
    return CreateEither<ZeroShotTask, ClassGroupsTask>(std::move(request),
                                                       model);
  const model::LabelHead* head = model.label_head;
  if (head != nullptr && head->kind == model::LabelHeadKind::kClasses)
    return CreateEither<ZeroShotTask, LabelClassesTask>(std::move(request),
                                                        model);
  return CreateEither<ZeroShotTask, EntailmentClassesTask>(std::move(request),
                                                           model);
}

}  // namespace deberta::server
