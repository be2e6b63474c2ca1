// Token classification (spec 3.7): entities of a text.

#ifndef SERVER_TASKS_TAG_TOKENS_H_
#define SERVER_TASKS_TAG_TOKENS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/shared/planned_task.h"
#include "server/tasks/shared/task.h"
#include "server/tasks/tag_aggregation.h"
#include "server/tasks/tag_windows.h"
#include "tokenizer/encoding/encoding.h"
#include "tokenizer/text/text_index.h"

namespace deberta::server {

struct TagTokensRequest {
  using Aggregation = server::Aggregation;
  std::vector<std::string> inputs = {};
  Aggregation aggregation = Aggregation::kSimple;
  std::vector<std::string> ignore_labels = {};  // empty: the model's own
  OffsetUnit offset_unit = OffsetUnit::kCodePoints;
  LengthPolicy length_policy = LengthPolicy::kReject;
  int64_t stride = 0;
  bool keep_ignored = false;
  bool raw_offsets = false;  // keep the white space that tokens carry
};

struct Entity {
  std::string label = {};
  float score = 0;
  std::string text = {};  // exactly original[start:end]
  uint32_t start = 0;     // in the request's unit
  uint32_t end = 0;
  uint32_t token_index = 0;  // from [CLS] = 0; with kNone only
};

struct TagTokensResult {
  std::vector<Entity> entities = {};
  Coverage coverage = {};
};

class TagTokensTask final
    : public RequestTask<TagTokensRequest, TagTokensResult> {
 public:
  static absl::StatusOr<TagTokensTask> Create(Request request,
                                              const TaskModel& model);

 private:
  TagTokensTask(Request request, const TaskModel& model);

  SequenceInput Reading(size_t input,
                        const tokenizer::Encoding& encoding) const override;
  absl::Status Take(const Part& part, SequenceOutput output) override;

  // Begins the result of the part's input.
  void StartInput(const Part& part);
  // Adds to the result of the input that is taken.
  absl::Status AddEntities(std::vector<TaggedSpan> spans, size_t input);

  std::vector<std::string> ignored_;
  // Of the input that is taken:
  Result result_;
  std::optional<tokenizer::TextIndex> text_;
  std::vector<uint32_t> least_starts_;  // of each token and those after it
  CentralTags central_;                 // with kNone
  SpanMerger merger_;                   // with the others
};
static_assert(Task<TagTokensTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_TAG_TOKENS_H_
