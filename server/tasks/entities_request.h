// What is asked of the extraction of entities and what it gives, by whichever
// head.

#ifndef SERVER_TASKS_ENTITIES_REQUEST_H_
#define SERVER_TASKS_ENTITIES_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tasks/entity_spans.h"
#include "server/tasks/label_prompt.h"
#include "server/tasks/shared/answer_budget.h"
#include "server/tasks/shared/task.h"
#include "tokenizer/text/span.h"

namespace deberta::server {

struct ExtractEntitiesRequest {
  std::vector<std::string> inputs = {};
  std::vector<EntityLabel> labels = {};
  float threshold = 0.5f;  // in (0, 1)
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

// An InputError about `field` unless it is between 0 and 1.
absl::Status CheckThreshold(float threshold, std::string_view field);

// What does not depend on the head.
absl::Status CheckEntitiesRequest(const ExtractEntitiesRequest& request);

// [labels]
std::vector<float> Thresholds(const ExtractEntitiesRequest& request);

// The InputError where SpanCandidates of an input were too many.
absl::Status TooManyCandidates(size_t input);

// The entities that the candidates leave of the input at `index`; empties
// these. An InputError about it where they do not fit the answer.
absl::StatusOr<std::vector<ExtractedEntity>> TakeEntities(
    const ExtractEntitiesRequest& request, std::string_view input, size_t index,
    const std::vector<tokenizer::Span>& words, const OverlapRule& overlap,
    SpanCandidates& candidates, AnswerBudget& answer);

}  // namespace deberta::server

#endif  // SERVER_TASKS_ENTITIES_REQUEST_H_
