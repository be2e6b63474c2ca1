// What the tasks of a model that reads groups of labels (GLiNER2) have in
// common: its sequences, in windows of words, and their outputs by group.

#ifndef SERVER_TASKS_GROUP_TASK_H_
#define SERVER_TASKS_GROUP_TASK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tasks/group_prompt.h"
#include "server/tasks/shared/answer_budget.h"
#include "server/tasks/shared/task.h"
#include "server/tasks/shared/word_texts.h"

namespace deberta::server {

// Whether the model reads groups of labels.
bool ReadsGroups(const TaskModel& model);

class GroupTask {
 public:
  GroupTask(GroupTask&&) = default;
  GroupTask& operator=(GroupTask&&) = default;
  virtual ~GroupTask() = default;

  // See Task.
  std::vector<Coverage> coverage() const { return texts_.coverage(); }
  Cost cost() const;
  // What one sequence gives is told by SequenceInput::reading_values.
  size_t output_width() const { return 0; }
  size_t longest_sequence() const { return texts_.longest(); }
  std::optional<SequenceInput> Next();
  absl::Status Consume(SequenceOutput output);

 protected:
  struct Rule {
    LengthPolicy policy = LengthPolicy::kReject;
    int64_t stride = 0;  // words
    // Texts without words are read, as a dot.
    bool reads_blank = false;
  };
  // The field that has the labels is blamed where they leave no room.
  GroupTask(const TaskModel& model, GroupPrompt prompt,
            std::string_view labels_field)
      : model_(model),
        prompt_(std::move(prompt)),
        labels_field_(labels_field),
        answer_(model.max_answer_bytes) {}

  absl::Status AddInputs(std::vector<std::string> inputs, const Rule& rule);

  // What the head gives of a window.
  struct Group {
    // Of classes; else empty.
    std::span<const float> classes = {};
    // [instances]: [GroupPrompt::words() + words + dots, max_span_words,
    // labels].
    std::vector<std::span<const float>> instances = {};
  };
  struct Part {
    size_t input = 0;
    size_t begin = 0;  // words of the text, [begin, end)
    size_t end = 0;
    // Words behind them that are not the text's: the dot with which a sentence
    // is to end.
    size_t dots = 0;
    std::vector<Group> groups = {};
  };

  const TaskModel& model() const { return model_; }
  const GroupPrompt& prompt() const { return prompt_; }
  const std::string& input(size_t index) const { return inputs_[index]; }
  const WordTexts& texts() const { return texts_; }
  // The part of an instance that is of the text and the dot.
  std::span<const float> TextOf(std::span<const float> instance,
                                size_t labels) const;
  AnswerBudget& answer() { return answer_; }
  // Internal unless every output is consumed.
  absl::Status CheckComplete() const;

 private:
  virtual absl::Status Take(const Part& part) = 0;
  // All of its windows are taken.
  virtual absl::Status GiveResult(size_t input) = 0;
  // That candidates take, about.
  virtual size_t candidate_bytes() const { return 0; }

  absl::Status AddInput(const WordRule& rule, bool reads_blank);
  // The values that the head gives at most of so many words of a text.
  size_t Values(size_t words) const;
  // Of all inputs that are read.
  absl::Status GiveResults();
  absl::StatusOr<std::vector<Group>> Divide(std::span<const float> values,
                                            size_t words) const;

  TaskModel model_;
  GroupPrompt prompt_;
  std::string labels_field_;
  std::vector<int32_t> dot_;
  std::vector<std::string> inputs_;
  WordTexts texts_;
  std::vector<std::vector<bool>> dots_;  // [texts_][windows]: whether one ends
  size_t values_ = 0;
  size_t given_ = 0;  // results
  AnswerBudget answer_;
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_GROUP_TASK_H_
