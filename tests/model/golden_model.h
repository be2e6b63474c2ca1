// Model directories with a golden.safetensors, as make_model_golden.py
// describes it, and how near a loaded model comes to it.

#ifndef TESTS_MODEL_GOLDEN_MODEL_H_
#define TESTS_MODEL_GOLDEN_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/checkpoint/loaded_file.h"
#include "model/checkpoint/safetensors.h"
#include "model/model.h"
#include "model/runtime/batch.h"
#include "model/runtime/workspace.h"

namespace deberta::model {

class GoldenFile {
 public:
  // `directory`/golden.safetensors.
  static absl::StatusOr<GoldenFile> Open(const std::string& directory);

  // Empty if there is no such tensor.
  std::vector<float> Read(const std::string& name) const;
  std::vector<int32_t> ReadIds(const std::string& name) const;

 private:
  GoldenFile(LoadedFile file, TensorMap tensors);

  LoadedFile file_;
  TensorMap tensors_;
};

// The largest difference, in units of the largest |expected|; infinite if the
// sizes differ or a number is not finite.
double DifferenceOfScale(std::span<const float> actual,
                         std::span<const float> expected);

// Sequences laid end to end, with the logits wanted that the head is made for:
// of first rows, or of every row.
class BatchBuilder {
 public:
  explicit BatchBuilder(Head head) : head_(head) {}

  void Add(std::span<const int32_t> ids, std::span<const int32_t> types);
  RaggedBatch& batch() { return batch_; }

 private:
  const Head head_;
  RaggedBatch batch_;
};

struct GoldenComparison {
  size_t sequences = 0;
  // Worst differences of scale, of every layer's hidden states, where the file
  // has them, and of the logits (of labels, if the model reads such). A single
  // logit may be any small difference of large numbers, so that the scale of
  // logits is that of all sequences.
  double hidden = 0;
  std::string hidden_tensor;  // where
  double logits = 0;          // without a head too
};

// Runs each sequence of the file alone. An error if the model refuses one, or
// if there is none.
absl::StatusOr<GoldenComparison> CompareToGolden(const Model& model,
                                                 const GoldenFile& golden,
                                                 Workspace& workspace);

}  // namespace deberta::model

#endif  // TESTS_MODEL_GOLDEN_MODEL_H_
