// A task that one of several does, by what the model's head is.

#ifndef SERVER_TASKS_SHARED_EITHER_TASK_H_
#define SERVER_TASKS_SHARED_EITHER_TASK_H_

#include <cstddef>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

// See Task, of which those that derive from this add Create().
template <typename RequestT, typename ResultT, typename... Tasks>
class EitherTask {
 public:
  using Request = RequestT;
  using Result = ResultT;

  template <typename T>
  explicit EitherTask(std::in_place_type_t<T> type, T task)
      : task_(type, std::move(task)) {}

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
  std::variant<Tasks...> task_;
};

// What T::Create() gives, as an `Either`.
template <typename Either, typename T>
absl::StatusOr<Either> CreateEither(typename Either::Request request,
                                    const TaskModel& model) {
  absl::StatusOr<T> task = T::Create(std::move(request), model);
  if (!task.ok()) return task.status();
  return Either(std::in_place_type<T>, *std::move(task));
}

}  // namespace deberta::server

#endif  // SERVER_TASKS_SHARED_EITHER_TASK_H_
