// Sequence classification (spec 3.6): labels and scores of a text or a pair.
// Multiple choice (spec 3.4): the labels are the input's choices, and its logit
// of each is that of the pair of text and choice.

#ifndef SERVER_TASKS_CLASSIFY_H_
#define SERVER_TASKS_CLASSIFY_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/shared/planned_task.h"
#include "server/tasks/shared/scores.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

struct ClassifyRequest {
  enum class Function {
    // The model's own where it has one, else by problem_type and the number of
    // labels, as the reference; softmax for multiple choice.
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

// What the scores of the model are unless a request says.
ClassifyRequest::Function DefaultFunction(const TaskModel& model);

// One of several answers of a head.
struct ClassifyOutput {
  std::string name = {};
  std::vector<LabelScore> labels = {};  // as those of the result
  std::optional<double> score = {};     // made of its labels', or of others
};

struct ClassifyResult {
  // Best first; ties keep the lower index first. Of a head with several
  // outputs, those of the first.
  std::vector<LabelScore> labels = {};
  std::vector<ClassifyOutput> outputs = {};  // empty of one output
  std::vector<float> logits = {};            // by index; empty unless asked for
  Coverage coverage = {};  // of the longest pair, with choices
};

class ClassifyTask final : public RequestTask<ClassifyRequest, ClassifyResult> {
 public:
  static absl::StatusOr<ClassifyTask> Create(Request request,
                                             const TaskModel& model);

 private:
  ClassifyTask(Request request, const TaskModel& model);

  SequenceInput Reading(size_t input,
                        const tokenizer::Encoding& encoding) const override;
  absl::Status Take(const Part& part, SequenceOutput output) override;

  absl::Status AddChoices(const LengthRule& rule);
  // About what the result of an input with these labels takes.
  size_t AnswerBytes(std::span<const std::string> labels) const;
  absl::Status CheckAnswer();
  std::span<const std::string> LabelsOf(size_t input) const;
  // InputError where a sequence lacks the marker that the head reads.
  absl::Status CheckMarkers() const;
  // The best labels of columns from `first` on, which have these scores.
  std::vector<LabelScore> BestLabels(std::span<const float> scores,
                                     std::span<const std::string> labels,
                                     size_t first) const;
  std::vector<ClassifyOutput> OutputsOf(std::span<const float> logits) const;
  // How many of so many labels are returned.
  size_t LabelCount(size_t labels) const;
  // Of an input whose logits are all there.
  Result MakeResult(size_t input);

  LogitMean mean_;
  std::vector<float> logits_;  // of the input that is taken, by label so far
};
static_assert(Task<ClassifyTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_CLASSIFY_H_
