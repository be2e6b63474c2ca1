// A task for tests of runs.

#ifndef TESTS_SERVER_BATCHING_NUMBERS_TASK_H_
#define TESTS_SERVER_BATCHING_NUMBERS_TASK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

// Asks for sequences of these lengths; the ids of each are its number. Its
// result is the first value of every output.
class NumbersTask {
 public:
  struct Request {
    std::vector<size_t> lengths = {};
    size_t width = 1;
    // Number of the sequence whose output it does not take.
    std::optional<size_t> refused = {};
  };
  using Result = float;

  static absl::StatusOr<NumbersTask> Create(Request request, const TaskModel&) {
    return NumbersTask(std::move(request));
  }
  explicit NumbersTask(Request request) : request_(std::move(request)) {}

  std::vector<Coverage> coverage() const { return {}; }
  size_t output_width() const { return request_.width; }
  size_t longest_sequence() const { return 0; }
  std::optional<SequenceInput> Next() {
    if (next_ == request_.lengths.size()) return std::nullopt;
    const size_t length = request_.lengths[next_];
    return SequenceInput{
        .ids = std::vector<int32_t>(length, static_cast<int32_t>(next_++)),
        .type_ids = std::vector<int32_t>(length),
        .rows = {0}};
  }
  absl::Status Consume(SequenceOutput output) {
    if (results_.size() == request_.refused)
      return absl::InvalidArgumentError("too large");
    results_.push_back(output.values.at(0));
    return absl::OkStatus();
  }
  Cost cost() const { return {}; }
  std::vector<float> TakeResults() { return std::exchange(results_, {}); }
  absl::StatusOr<std::vector<float>> Finish() { return TakeResults(); }

 private:
  Request request_;
  size_t next_ = 0;
  std::vector<float> results_;
};
static_assert(Task<NumbersTask>);

inline std::vector<float> Upto(size_t count, float factor = 1) {
  std::vector<float> numbers;
  for (size_t i = 0; i < count; ++i) {
    numbers.push_back(static_cast<float>(i) * factor);
  }
  return numbers;
}

}  // namespace deberta::server

#endif  // TESTS_SERVER_BATCHING_NUMBERS_TASK_H_
