// A task that is asked for all of its sequences at once, and given all outputs.

#ifndef TESTS_SERVER_TASKS_WHOLE_TASK_H_
#define TESTS_SERVER_TASKS_WHOLE_TASK_H_

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/shared/task.h"
#include "server/tasks/tokenize.h"

namespace deberta::server {

template <Task T>
class WholeTask {
 public:
  explicit WholeTask(T task) : task_(std::move(task)) {
    while (std::optional<SequenceInput> sequence = task_.Next()) {
      sequences_.push_back(*std::move(sequence));
    }
  }

  const std::vector<SequenceInput>& sequences() const { return sequences_; }
  std::vector<Coverage> coverage() const { return task_.coverage(); }

  // To be called once.
  absl::StatusOr<std::vector<typename T::Result>> Finish(
      std::span<const SequenceOutput> outputs) {
    for (const SequenceOutput& output : outputs) {
      if (absl::Status s = task_.Consume(output); !s.ok()) return s;
    }
    return task_.Finish();
  }

 private:
  T task_;
  std::vector<SequenceInput> sequences_;
};

// The same of what Create() gives.
template <Task T>
absl::StatusOr<WholeTask<T>> Whole(absl::StatusOr<T> task) {
  if (!task.ok()) return task.status();
  return WholeTask<T>(*std::move(task));
}

// The result of each input as one.
inline absl::StatusOr<std::vector<TokenizeResult>> WholeTokenize(
    const TokenizeRequest& request, const tokenizer::Tokenizer& tokenizer) {
  if (absl::Status s = CheckRequest(request); !s.ok()) return s;
  std::vector<TokenizeResult> results;
  for (size_t i = 0; i < request.inputs.size(); ++i) {
    const absl::StatusOr<TokenizedInput> input =
        TokenizedInput::Create(request, i, tokenizer);
    if (!input.ok()) return input.status();
    results.push_back(input->Part(0, input->size()));
  }
  return results;
}

}  // namespace deberta::server

#endif  // TESTS_SERVER_TASKS_WHOLE_TASK_H_
