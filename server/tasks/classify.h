// Sequence classification (spec 3.6): labels and scores of a text or a pair.
// Multiple choice (spec 3.4): the labels are the input's choices, and its logit
// of each is that of the pair of text and choice.

#ifndef SERVER_TASKS_CLASSIFY_H_
#define SERVER_TASKS_CLASSIFY_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/sequence_plan.h"
#include "server/tasks/task.h"

namespace deberta::server {

struct ClassifyRequest {
  enum class Function {
    // By problem_type and the number of labels, as the reference; softmax for
    // multiple choice.
    kPipeline,
    kSoftmax,
    kSigmoid,
    kNone,
  };
  std::vector<TextInput> inputs = {};
  Function function = Function::kPipeline;
  int64_t top_k = 0;  // 0: all
  bool return_logits = false;
  LengthPolicy length_policy = LengthPolicy::kReject;
  int64_t stride = 0;  // overlap of windows, in tokens
};

struct ClassifyResult {
  // Best first; ties keep the lower index first.
  std::vector<LabelScore> labels = {};
  std::vector<float> logits = {};  // by index; empty unless asked for
  Coverage coverage = {};          // of the longest pair, with choices
};

class ClassifyTask {
 public:
  using Request = ClassifyRequest;
  using Result = ClassifyResult;

  static absl::StatusOr<ClassifyTask> Create(Request request,
                                             const TaskModel& model);
  const std::vector<SequenceInput>& sequences() const { return sequences_; }
  std::vector<Coverage> coverage() const;
  absl::StatusOr<std::vector<Result>> Finish(
      std::span<const SequenceOutput> outputs) const;

 private:
  ClassifyTask(Request request, const TaskModel& model)
      : request_(std::move(request)), model_(model) {}

  absl::Status PlanInputs(const LengthRule& rule);
  absl::Status PlanChoices(const LengthRule& rule);

  Request request_;
  TaskModel model_;
  std::vector<SequenceInput> sequences_;
  std::vector<PlannedInput> inputs_;  // a pair is a choice
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_CLASSIFY_H_
