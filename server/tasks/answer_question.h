// Extractive question answering (spec 3.8): answer spans in a context.

#ifndef SERVER_TASKS_ANSWER_QUESTION_H_
#define SERVER_TASKS_ANSWER_QUESTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/answer_spans.h"
#include "server/tasks/shared/planned_task.h"
#include "server/tasks/shared/task.h"
#include "tokenizer/encoding/encoding.h"
#include "tokenizer/text/text_index.h"

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

class AnswerQuestionTask final
    : public RequestTask<AnswerQuestionRequest, AnswerQuestionResult> {
 public:
  static absl::StatusOr<AnswerQuestionTask> Create(Request request,
                                                   const TaskModel& model);

 private:
  AnswerQuestionTask(Request request, const TaskModel& model);

  SequenceInput Reading(size_t input,
                        const tokenizer::Encoding& encoding) const override;
  absl::Status Take(const Part& part, SequenceOutput output) override;

  // Tokenises and plans the input.
  absl::Status AddQuestion(size_t input);
  // An InputError if the answers of its windows would be too many to compare.
  absl::Status CheckCandidates(size_t input) const;
  // Adds the result of the input that is taken.
  absl::Status FinishInput(size_t input);

  AnswerRule rule_;
  // Of the input that is taken: its context, and the answers by the rule that
  // is asked for.
  std::unique_ptr<const tokenizer::TextIndex> context_;
  std::optional<PipelineAnswers> pipeline_;
  std::optional<SquadV2Answers> squad_v2_;
};
static_assert(Task<AnswerQuestionTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_ANSWER_QUESTION_H_
