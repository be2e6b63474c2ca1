// Zero-shot classification: labels of the caller's choice, by a model of
// natural language inference or by a head that reads labels.

#ifndef SERVER_TASKS_ZERO_SHOT_H_
#define SERVER_TASKS_ZERO_SHOT_H_

#include <cstddef>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/entailment_classes.h"
#include "server/tasks/label_classes.h"
#include "server/tasks/shared/task.h"
#include "server/tasks/zero_shot_request.h"

namespace deberta::server {

class ZeroShotTask {
 public:
  using Request = ZeroShotRequest;
  using Result = ZeroShotResult;

  // FailedPrecondition if the model has neither a label of entailment nor such
  // a head.
  static absl::StatusOr<ZeroShotTask> Create(Request request,
                                             const TaskModel& model);

  std::vector<Coverage> coverage() const {
    return std::visit([](const auto& of) { return of.coverage(); }, task_);
  }
  Cost cost() const {
    return std::visit([](const auto& of) { return of.cost(); }, task_);
  }
  size_t output_width() const {
    return std::visit([](const auto& of) { return of.output_width(); }, task_);
  }
  size_t longest_sequence() const {
    return std::visit([](const auto& of) { return of.longest_sequence(); },
                      task_);
  }
  std::optional<SequenceInput> Next() {
    return std::visit([](auto& of) { return of.Next(); }, task_);
  }
  absl::Status Consume(SequenceOutput output) {
    return std::visit([&](auto& of) { return of.Consume(std::move(output)); },
                      task_);
  }
  std::vector<Result> TakeResults() {
    return std::visit([](auto& of) { return of.TakeResults(); }, task_);
  }
  absl::StatusOr<std::vector<Result>> Finish() {
    return std::visit([](auto& of) { return of.Finish(); }, task_);
  }

 private:
  using Either = std::variant<EntailmentClassesTask, LabelClassesTask>;

  explicit ZeroShotTask(Either task) : task_(std::move(task)) {}

  Either task_;
};
static_assert(Task<ZeroShotTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_ZERO_SHOT_H_
