// What the tasks have in common: the sequences of a request in the order of its
// inputs, their pairs and the windows of these, each made when it is asked for,
// and their outputs, taken in the same order.

#ifndef SERVER_TASKS_SHARED_PLANNED_TASK_H_
#define SERVER_TASKS_SHARED_PLANNED_TASK_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tasks/shared/answer_budget.h"
#include "server/tasks/shared/sequence_plan.h"
#include "server/tasks/shared/task.h"
#include "tokenizer/encoding/encoding.h"

namespace deberta::server {

class PlannedTask {
 public:
  PlannedTask(PlannedTask&&) = default;
  PlannedTask& operator=(PlannedTask&&) = default;
  virtual ~PlannedTask() = default;

  // See Task.
  std::vector<Coverage> coverage() const;
  Cost cost() const;
  size_t output_width() const { return width_; }
  size_t longest_sequence() const { return longest_; }
  std::optional<SequenceInput> Next();
  absl::Status Consume(SequenceOutput output);

 protected:
  // The second texts of an input's pairs; several inputs may share them.
  using Seconds = std::shared_ptr<const std::vector<tokenizer::TokenSequence>>;

  // A sequence whose output has come.
  struct Part {
    size_t input = 0;
    const tokenizer::TokenSequence& first;  // the input's whole first text
    const tokenizer::Encoding& encoding;
    const SequenceInput& sequence;
    size_t begin = 0;  // tokens of the windowed text before it
    // Of the window after it; none for the last.
    std::optional<size_t> next_begin = {};
    bool ends_pair = false;
    bool ends_input = false;
  };

  PlannedTask(const TaskModel& model, size_t width)
      : model_(model), width_(width), answer_(model.max_answer_bytes) {}

  // Each adds inputs, or refuses one with an InputError.
  absl::Status AddTextInputs(std::span<const TextInput> inputs,
                             const LengthRule& rule);
  absl::Status AddTexts(std::span<const std::string> texts,
                        const LengthRule& rule);
  // Without `seconds`, the text alone. REQUIRES: else not empty.
  absl::Status AddInput(tokenizer::TokenSequence first, Seconds seconds,
                        const LengthRule& rule, std::string_view field);

  size_t inputs() const { return inputs_.size(); }
  const Coverage& coverage(size_t input) const {
    return inputs_[input].coverage;
  }
  // The sequences of an input's pair.
  SequencePlan Plan(size_t input, size_t pair) const;
  // The windows of an input come last first; by default in the text's order.
  void TakeLastWindowFirst() { last_window_first_ = true; }

  // See AnswerBudget.
  absl::Status AddToAnswer(size_t bytes, std::string_view field) {
    return answer_.Add(bytes, field);
  }

  // Internal unless every output is consumed.
  absl::Status CheckComplete() const;

  const TaskModel& model() const { return model_; }

 private:
  struct Input {
    tokenizer::TokenSequence first;
    Seconds seconds;
    LengthRule rule;
    Coverage coverage;  // of the longest pair, which is truncated if any is
  };
  // A sequence; past the last one, `input` is inputs().
  struct Place {
    size_t input = 0;
    size_t pair = 0;
    size_t window = 0;  // as they are taken
    friend bool operator==(const Place&, const Place&) = default;
  };

  // What is read of an encoding of the input.
  virtual SequenceInput Reading(size_t input,
                                const tokenizer::Encoding& encoding) const = 0;
  // Takes a checked output.
  virtual absl::Status Take(const Part& part, SequenceOutput output) = 0;

  // Whether the model has the types that the template gives.
  absl::Status CheckTypes(bool is_pair, std::string_view field) const;
  // Whether it has embeddings of all tokens of the plan's sequences.
  absl::Status CheckIds(const SequencePlan& plan, std::string_view field) const;
  size_t Pairs(size_t input) const;
  // Of the plan's windows, the one at the place.
  size_t WindowOf(const SequencePlan& plan, const Place& place) const;
  void Advance(const SequencePlan& plan, Place* place) const;

  TaskModel model_;
  size_t width_;
  std::vector<Input> inputs_;
  size_t tokens_ = 0;    // of all texts
  size_t computed_ = 0;  // of all sequences, about
  size_t longest_ = 0;
  bool last_window_first_ = false;
  AnswerBudget answer_;
  Place next_;   // to be asked for
  Place taken_;  // up to it, outputs are consumed
};

// A planned task with the request that it answers, and the results as they are
// ready.
template <typename RequestT, typename ResultT>
class RequestTask : public PlannedTask {
 public:
  using Request = RequestT;
  using Result = ResultT;

  // See Task.
  std::vector<Result> TakeResults() { return std::exchange(results_, {}); }
  absl::StatusOr<std::vector<Result>> Finish() {
    if (absl::Status s = CheckComplete(); !s.ok()) return s;
    return TakeResults();
  }

 protected:
  RequestTask(Request request, const TaskModel& model, size_t width)
      : PlannedTask(model, width), request_(std::move(request)) {}

  const Request& request() const { return request_; }
  // To be called for the inputs in order.
  void AddResult(Result result) { results_.push_back(std::move(result)); }

 private:
  Request request_;
  std::vector<Result> results_;
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_SHARED_PLANNED_TASK_H_
