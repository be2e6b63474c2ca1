// Structures and relations by a schema of the caller's own, by a head of
// GLiNER2.

#ifndef SERVER_TASKS_EXTRACT_STRUCTURED_H_
#define SERVER_TASKS_EXTRACT_STRUCTURED_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tasks/entity_spans.h"
#include "server/tasks/group_task.h"
#include "server/tasks/shared/task.h"
#include "tokenizer/text/text_index.h"

namespace deberta::server {

struct StructureField {
  std::string name = {};
  bool single = false;  // the best value alone
  std::vector<std::string> choices = {};
  std::string description = {};
  std::optional<float> threshold = {};  // none: the request's
};

struct StructureSchema {
  std::string name = {};
  std::vector<StructureField> fields = {};
};

struct RelationSchema {
  std::string name = {};
  std::string description = {};
  std::optional<float> threshold = {};  // none: the request's
};

struct ExtractStructuredRequest {
  std::vector<std::string> inputs = {};
  std::vector<StructureSchema> structures = {};
  std::vector<RelationSchema> relations = {};
  float threshold = 0.5f;  // in (0, 1)
  OffsetUnit offset_unit = OffsetUnit::kCodePoints;
  LengthPolicy length_policy = LengthPolicy::kReject;
  int64_t stride = 0;  // words that neighbouring windows share
};

struct StructuredValue {
  std::string text = {};  // exactly original[start:end], or the choice
  float score = 0;
  struct Place {
    uint32_t start = 0;  // in the request's unit
    uint32_t end = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };
  std::optional<Place> place = {};  // none of a choice
  friend bool operator==(const StructuredValue&,
                         const StructuredValue&) = default;
};

struct ExtractedField {
  std::string name = {};
  // Best first; of choices in their order.
  std::vector<StructuredValue> values = {};
};

struct ExtractedStructure {
  std::string name = {};
  size_t schema = 0;
  std::vector<ExtractedField> fields = {};  // [fields of the schema]
};

struct ExtractedRelation {
  std::string name = {};
  size_t schema = 0;
  StructuredValue head = {};
  StructuredValue tail = {};
};

struct ExtractStructuredResult {
  // By schema, and as the model counts them, window after window; each has a
  // value.
  std::vector<ExtractedStructure> structures = {};
  std::vector<ExtractedRelation> relations = {};
  // All zeros for a text of nothing but white space, of which nothing is read.
  Coverage coverage = {};
};

class ExtractStructuredTask final : public GroupTask {
 public:
  using Request = ExtractStructuredRequest;
  using Result = ExtractStructuredResult;

  // FailedPrecondition if the model's head does not read such schemas.
  static absl::StatusOr<ExtractStructuredTask> Create(Request request,
                                                      const TaskModel& model);

  // See Task.
  std::vector<Result> TakeResults() { return std::exchange(results_, {}); }
  absl::StatusOr<std::vector<Result>> Finish();

 private:
  ExtractStructuredTask(Request request, const TaskModel& model,
                        GroupPrompt prompt);

  absl::Status Take(const Part& part) override;
  absl::Status GiveResult(size_t input) override;

  // The values of each field of an instance of a group of the prompt.
  absl::StatusOr<std::vector<std::vector<StructuredValue>>> ValuesOf(
      const Part& part, size_t group, std::span<const float> instance) const;
  std::vector<StructuredValue> Chosen(size_t group, size_t field,
                                      std::span<const float> instance) const;
  // Keeps an instance, unless an earlier window had the same.
  absl::Status Keep(const Part& part, size_t group,
                    std::vector<std::vector<StructuredValue>> values);
  absl::Status KeepStructure(const Part& part, size_t index,
                             std::vector<std::vector<StructuredValue>> values);

  Request request_;
  std::vector<std::vector<float>> thresholds_;  // [groups][fields]
  // Of the input that is taken:
  std::optional<tokenizer::TextIndex> places_;
  ExtractStructuredResult result_;
  absl::flat_hash_set<std::string> seen_;  // if it has several windows
  std::vector<Result> results_;
};
static_assert(Task<ExtractStructuredTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_EXTRACT_STRUCTURED_H_
