// Extractive question answering (spec 3.8): answer spans in a context.

#ifndef SERVER_TASKS_ANSWER_QUESTION_H_
#define SERVER_TASKS_ANSWER_QUESTION_H_

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/task.h"
#include "tokenizer/encoding.h"

namespace deberta::server {

struct QuestionInput {
  std::string question = {};
  std::string context = {};
};

struct AnswerQuestionRequest {
  enum class Rule { kPipeline, kSquadV2 };
  std::vector<QuestionInput> inputs = {};
  int64_t top_k = 0;              // 0: 1
  int64_t max_answer_tokens = 0;  // 0: 15
  bool handle_impossible_answer = false;
  int64_t stride = 0;             // overlap in tokens; 0: min(window / 2, 128)
  int64_t max_window_tokens = 0;  // 0: min(384, the model's limit)
  bool align_to_words = true;
  OffsetUnit offset_unit = OffsetUnit::kCodePoints;
  Rule rule = Rule::kPipeline;
  float null_threshold = 0;  // kSquadV2
  bool raw_offsets = false;
};

struct Answer {
  std::string text = {};  // exactly context[start:end]
  float score = 0;
  uint32_t start = 0;  // in the request's unit, of the context
  uint32_t end = 0;
  bool no_answer = false;
};

struct AnswerQuestionResult {
  std::vector<Answer> answers = {};  // best first
  Coverage coverage = {};
};

class AnswerQuestionTask {
 public:
  using Request = AnswerQuestionRequest;
  using Result = AnswerQuestionResult;

  static absl::StatusOr<AnswerQuestionTask> Create(Request request,
                                                   const TaskModel& model);
  const std::vector<SequenceInput>& sequences() const { return sequences_; }
  std::vector<Coverage> coverage() const;
  absl::StatusOr<std::vector<Result>> Finish(
      std::span<const SequenceOutput> outputs) const;

 private:
  AnswerQuestionTask(Request request, const TaskModel& model)
      : request_(std::move(request)), model_(model) {}

  Request request_;
  TaskModel model_;
  std::vector<SequenceInput> sequences_;
  std::vector<Coverage> coverage_;
  std::vector<tokenizer::Encoding> encodings_;
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_ANSWER_QUESTION_H_
