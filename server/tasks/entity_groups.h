// Entities by a head of GLiNER2: the labels are one group, of which each is
// looked for by itself.

#ifndef SERVER_TASKS_ENTITY_GROUPS_H_
#define SERVER_TASKS_ENTITY_GROUPS_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tasks/entities_request.h"
#include "server/tasks/entity_spans.h"
#include "server/tasks/group_task.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

class EntityGroupsTask final : public GroupTask {
 public:
  using Request = ExtractEntitiesRequest;
  using Result = ExtractEntitiesResult;

  // REQUIRES: ReadsGroups(model).
  static absl::StatusOr<EntityGroupsTask> Create(Request request,
                                                 const TaskModel& model);

  // See Task.
  std::vector<Result> TakeResults() { return std::exchange(results_, {}); }
  absl::StatusOr<std::vector<Result>> Finish();

 private:
  EntityGroupsTask(Request request, const TaskModel& model, GroupPrompt prompt);

  absl::Status Take(const Part& part) override;
  absl::Status GiveResult(size_t input) override;
  size_t candidate_bytes() const override { return candidates_.bytes(); }

  Request request_;
  SpanCandidates candidates_;  // of the input that is taken
  std::vector<Result> results_;
};
static_assert(Task<EntityGroupsTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_ENTITY_GROUPS_H_
