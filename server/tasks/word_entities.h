// Entities of the caller's own labels, by the heads of GLiNER: a text is cut
// into words, the labels stand before it, and each stretch of words has a score
// for each label.

#ifndef SERVER_TASKS_WORD_ENTITIES_H_
#define SERVER_TASKS_WORD_ENTITIES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tasks/entities_request.h"
#include "server/tasks/entity_spans.h"
#include "server/tasks/label_prompt.h"
#include "server/tasks/shared/answer_budget.h"
#include "server/tasks/shared/task.h"
#include "server/tasks/shared/word_texts.h"

namespace deberta::server {

// See Task.
class WordEntitiesTask {
 public:
  using Request = ExtractEntitiesRequest;
  using Result = ExtractEntitiesResult;

  // FailedPrecondition if the model's head does not find entities.
  static absl::StatusOr<WordEntitiesTask> Create(Request request,
                                                 const TaskModel& model);

  std::vector<Coverage> coverage() const { return texts_.coverage(); }
  Cost cost() const;
  // What one sequence gives is told by SequenceInput::reading_values.
  size_t output_width() const { return 0; }
  size_t longest_sequence() const { return texts_.longest(); }
  std::optional<SequenceInput> Next();
  absl::Status Consume(SequenceOutput output);
  std::vector<Result> TakeResults() { return std::exchange(results_, {}); }
  absl::StatusOr<std::vector<Result>> Finish();

 private:
  WordEntitiesTask(Request request, const TaskModel& model);

  absl::Status AddInput(size_t index, const WordRule& rule);
  absl::Status CheckValues(size_t words, size_t index) const;
  // The values that the head gives of so many words, about.
  size_t Values(size_t words) const;
  // Gives the results of all inputs that are read.
  absl::Status GiveResults();
  absl::StatusOr<Result> MakeResult(size_t input);

  Request request_;
  TaskModel model_;
  LabelPrompt prompt_;
  std::vector<float> thresholds_;  // [labels]
  WordTexts texts_;
  size_t values_ = 0;  // of all sequences
  AnswerBudget answer_;
  SpanCandidates candidates_;  // of the input that is taken
  std::vector<Result> results_;
  size_t given_ = 0;  // results
};
static_assert(Task<WordEntitiesTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_WORD_ENTITIES_H_
