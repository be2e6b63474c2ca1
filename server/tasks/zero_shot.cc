#include "server/tasks/zero_shot.h"

namespace deberta::server {

absl::StatusOr<ZeroShotTask> ZeroShotTask::Create(Request request,
                                                  const TaskModel& model) {
  const model::LabelHead* head = model.label_head;
  if (head != nullptr && head->kind == model::LabelHeadKind::kClasses) {
    auto task = LabelClassesTask::Create(std::move(request), model);
    if (!task.ok()) return task.status();
    return ZeroShotTask(*std::move(task));
  }
  auto task = EntailmentClassesTask::Create(std::move(request), model);
  if (!task.ok()) return task.status();
  return ZeroShotTask(*std::move(task));
}

}  // namespace deberta::server
