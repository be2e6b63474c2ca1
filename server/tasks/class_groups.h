// Zero-shot classification by a head of GLiNER2: the labels are one group, of
// classes of the text.

#ifndef SERVER_TASKS_CLASS_GROUPS_H_
#define SERVER_TASKS_CLASS_GROUPS_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tasks/group_task.h"
#include "server/tasks/shared/scores.h"
#include "server/tasks/shared/task.h"
#include "server/tasks/zero_shot_request.h"

namespace deberta::server {

class ClassGroupsTask final : public GroupTask {
 public:
  using Request = ZeroShotRequest;
  using Result = ZeroShotResult;

  // REQUIRES: ReadsGroups(model).
  static absl::StatusOr<ClassGroupsTask> Create(Request request,
                                                const TaskModel& model);

  // See Task.
  std::vector<Result> TakeResults() { return std::exchange(results_, {}); }
  absl::StatusOr<std::vector<Result>> Finish();

 private:
  ClassGroupsTask(Request request, const TaskModel& model, GroupPrompt prompt)
      : GroupTask(model, std::move(prompt), "labels"),
        request_(std::move(request)) {}

  absl::Status Take(const Part& part) override;
  absl::Status GiveResult(size_t input) override;

  Request request_;
  LogitMean mean_;  // over the windows of the input that is taken
  std::vector<Result> results_;
};
static_assert(Task<ClassGroupsTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_CLASS_GROUPS_H_
