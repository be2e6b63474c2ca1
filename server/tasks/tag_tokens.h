// Token classification (spec 3.7): entities of a text.

#ifndef SERVER_TASKS_TAG_TOKENS_H_
#define SERVER_TASKS_TAG_TOKENS_H_

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/task.h"
#include "tokenizer/encoding.h"

namespace deberta::server {

struct TagTokensRequest {
  enum class Aggregation { kNone, kSimple, kFirst, kAverage, kMax };
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

class TagTokensTask {
 public:
  using Request = TagTokensRequest;
  using Result = TagTokensResult;

  static absl::StatusOr<TagTokensTask> Create(Request request,
                                              const TaskModel& model);
  const std::vector<SequenceInput>& sequences() const { return sequences_; }
  std::vector<Coverage> coverage() const;
  absl::StatusOr<std::vector<Result>> Finish(
      std::span<const SequenceOutput> outputs) const;

 private:
  TagTokensTask(Request request, const TaskModel& model)
      : request_(std::move(request)), model_(model) {}

  Request request_;
  TaskModel model_;
  std::vector<SequenceInput> sequences_;
  std::vector<Coverage> coverage_;  // one an input
  // One a sequence; windows of one input are adjacent.
  std::vector<tokenizer::Encoding> encodings_;
  // Tokens of the text before each sequence; parallel to encodings_.
  std::vector<size_t> begins_;
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_TAG_TOKENS_H_
