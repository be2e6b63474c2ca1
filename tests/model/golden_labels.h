// Sequences of models that read the caller's labels, as
// make_label_head_golden.py writes them into golden.safetensors.

#ifndef TESTS_MODEL_GOLDEN_LABELS_H_
#define TESTS_MODEL_GOLDEN_LABELS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "model/model.h"
#include "model/runtime/batch.h"
#include "model/runtime/workspace.h"
#include "tests/model/golden_model.h"

namespace deberta::model {

struct LabelSequence {
  std::vector<int32_t> ids;
  std::vector<int32_t> types;
  std::shared_ptr<const WordReading> reading;
  std::vector<float> logits;  // expected; 0 past the last word
};

std::vector<LabelSequence> ReadLabelSequences(const GoldenFile& golden);

void AppendLabels(const LabelSequence& sequence, RaggedBatch* batch);

// What the head gives of the sequence in a batch of its own.
absl::StatusOr<std::vector<float>> LabelLogits(const Model& model,
                                               const LabelSequence& sequence,
                                               Workspace& workspace);

// With 0 past the last word, as the golden file has it.
std::vector<float> WithoutPadding(std::vector<float> logits);

}  // namespace deberta::model

#endif  // TESTS_MODEL_GOLDEN_LABELS_H_
