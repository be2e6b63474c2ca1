// Entities of the caller's own labels, by the heads of GLiNER: a text is cut
// into words, the labels stand before it, and each stretch of words has a score
// for each label.

#ifndef SERVER_TASKS_EXTRACT_ENTITIES_H_
#define SERVER_TASKS_EXTRACT_ENTITIES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tasks/entity_spans.h"
#include "server/tasks/label_prompt.h"
#include "server/tasks/shared/answer_budget.h"
#include "server/tasks/shared/task.h"
#include "server/tasks/shared/word_plan.h"
#include "tokenizer/text/span.h"

namespace deberta::server {

struct ExtractEntitiesRequest {
  std::vector<std::string> inputs = {};
  std::vector<EntityLabel> labels = {};
  float threshold = 0.5f;  // scores above it are found; in (0, 1)
  OverlapRule overlap = {};
  OffsetUnit offset_unit = OffsetUnit::kCodePoints;
  LengthPolicy length_policy = LengthPolicy::kReject;
  int64_t stride = 0;  // words that neighbouring windows share
  int64_t top_k = 0;   // labels of each entity; 0: none
};

struct ExtractedEntity {
  std::string label = {};
  uint32_t label_index = 0;
  float score = 0;
  std::string text = {};  // exactly original[start:end]
  uint32_t start = 0;     // in the request's unit
  uint32_t end = 0;
  // The best labels of the stretch; empty unless asked for.
  std::vector<LabelScore> labels = {};
};

struct ExtractEntitiesResult {
  // By the first word, and by score where that is the same.
  std::vector<ExtractedEntity> entities = {};
  // All zeros for a text of nothing but white space, of which nothing is read.
  Coverage coverage = {};
};

// See Task.
class ExtractEntitiesTask {
 public:
  using Request = ExtractEntitiesRequest;
  using Result = ExtractEntitiesResult;

  // FailedPrecondition if the model's head does not find entities.
  static absl::StatusOr<ExtractEntitiesTask> Create(Request request,
                                                    const TaskModel& model);

  std::vector<Coverage> coverage() const;
  Cost cost() const;
  // What one sequence gives is told by SequenceInput::reading_values.
  size_t output_width() const { return 0; }
  size_t longest_sequence() const { return longest_; }
  std::optional<SequenceInput> Next();
  absl::Status Consume(SequenceOutput output);
  std::vector<Result> TakeResults() { return std::exchange(results_, {}); }
  absl::StatusOr<std::vector<Result>> Finish();

 private:
  // An input; what its result does not need is emptied once that is there.
  struct Text {
    std::vector<tokenizer::Span> words;
    std::vector<int32_t> ids;    // of its tokens
    std::vector<uint32_t> ends;  // [words]: tokens up to the end of each
    WordPlan plan;               // no windows without words
  };
  // A window; past the last one, `input` is the number of texts.
  struct Place {
    size_t input = 0;
    size_t window = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };

  ExtractEntitiesTask(Request request, const TaskModel& model);

  absl::Status AddInput(size_t index, const WordRule& rule);
  absl::Status CheckValues(size_t words, size_t index) const;
  void SkipTextsWithoutWindows(Place* place) const;
  void Advance(Place* place) const;
  // The values that the head gives of so many words, about.
  size_t Values(size_t words) const;
  // Gives the results of all inputs before taken_.
  absl::Status GiveResults();
  absl::StatusOr<Result> MakeResult(size_t input);
  std::vector<LabelScore> BestLabels(const EntitySpan& span) const;

  Request request_;
  TaskModel model_;
  LabelPrompt prompt_;
  std::vector<float> thresholds_;  // [labels]
  std::vector<Text> texts_;
  size_t tokens_ = 0;    // of all texts
  size_t computed_ = 0;  // of all sequences
  size_t longest_ = 0;
  size_t values_ = 0;  // of all sequences
  AnswerBudget answer_;
  SpanCandidates candidates_;  // of the input that is taken
  std::vector<Result> results_;
  size_t given_ = 0;  // results
  Place next_;        // to be asked for
  Place taken_;       // up to it, outputs are consumed
};
static_assert(Task<ExtractEntitiesTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_EXTRACT_ENTITIES_H_
