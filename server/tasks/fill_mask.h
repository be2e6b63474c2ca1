// Mask filling (spec 3.9): the likeliest tokens for each mask of a text.

#ifndef SERVER_TASKS_FILL_MASK_H_
#define SERVER_TASKS_FILL_MASK_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/tasks/shared/best_columns.h"
#include "server/tasks/shared/planned_task.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

struct FillMaskRequest {
  // Texts that hold the model's mask token or "[MASK]".
  std::vector<std::string> inputs = {};
  int64_t top_k = 0;  // 0: 5
  std::vector<std::string> targets = {};
  LengthPolicy length_policy = LengthPolicy::kReject;
};

struct MaskCandidate {
  int32_t token_id = 0;
  std::string token = {};  // decoded
  float score = 0;
  std::string sequence = {};  // the text with this mask filled, decoded
};

struct MaskPrediction {
  uint32_t token_index = 0;                    // from [CLS] = 0
  std::vector<MaskCandidate> candidates = {};  // best first
};

struct FillMaskResult {
  std::vector<MaskPrediction> masks = {};
  Coverage coverage = {};
};

class FillMaskTask final : public RequestTask<FillMaskRequest, FillMaskResult> {
 public:
  static absl::StatusOr<FillMaskTask> Create(Request request,
                                             const TaskModel& model);

 private:
  FillMaskTask(Request request, BestColumns best, const TaskModel& model);

  SequenceInput Reading(size_t input,
                        const tokenizer::Encoding& encoding) const override;
  absl::Status Take(const Part& part, SequenceOutput output) override;

  // An InputError if an input has no mask or the answer would be too large.
  absl::Status CheckMasks();
  // The candidates for the mask at `row`: these ids with these scores.
  MaskPrediction Predict(const SequenceInput& sequence, uint32_t row,
                         std::span<const int32_t> ids,
                         std::span<const float> scores) const;

  std::shared_ptr<const BestColumns> best_;  // the candidates of a mask
};
static_assert(Task<FillMaskTask>);

}  // namespace deberta::server

#endif  // SERVER_TASKS_FILL_MASK_H_
