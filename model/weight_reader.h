// Turns tensors into floats while a model loads, and reports the progress.

#ifndef MODEL_WEIGHT_READER_H_
#define MODEL_WEIGHT_READER_H_

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/checkpoint/checkpoint.h"
#include "model/gemm/precision.h"
#include "model/gemm/products.h"
#include "model/layers/layer_norm.h"
#include "model/layers/linear.h"
#include "model/observers.h"
#include "model/shared_weights.h"
#include "model/weights/weights.h"

namespace deberta::model {

// Not thread-safe; used by the loading thread alone.
class WeightReader {
 public:
  // Packed weights are shared by `shared`, if it is not null.
  WeightReader(const Checkpoint& checkpoint, const Weights& weights,
               const PrecisionChoice& precision, Products products,
               SharedWeights* shared, Workspace& workspace,
               LoadObserver observer);

  // The whole tensor; empty if null.
  std::vector<float> Read(const TensorView* tensor);

  absl::StatusOr<Linear> Pack(const LinearWeights& weights,
                              Activation activation = Activation::kLinear,
                              Precision precision = Precision::kFp32);
  // Also for weights gathered from several tensors: report them with Done.
  absl::StatusOr<Linear> Pack(const Linear::Source& source);

  LayerNorm Norm(const LayerNormWeights& weights);

  // The tensor is packed, or stays in use where it is: the observer is told.
  // Null and repeated tensors are let pass.
  void Done(const TensorView* tensor);

  const Config& config() const { return checkpoint_.config(); }
  const LabelConfig* label_config() const { return checkpoint_.label_config(); }
  // Of the encoder's products and of its attention.
  Precision precision() const { return precision_.used; }
  Precision attention_precision() const { return precision_.attention; }
  // What computes the products packed so far: see GemmTable.
  std::string products() const { return gemms_.Description(); }
  // Of packed weights that another model held already.
  uint64_t shared_bytes() const { return shared_bytes_; }
  ThreadPool& pool() { return workspace_.pool(); }
  Workspace& workspace() { return workspace_; }

 private:
  const Checkpoint& checkpoint_;
  const PrecisionChoice precision_;
  SharedWeights* const shared_;
  Workspace& workspace_;
  const LoadObserver observer_;
  GemmTable gemms_;
  std::set<const TensorView*> done_;
  LoadProgress progress_;
  uint64_t shared_bytes_ = 0;
};

// Keeps a layer that was loaded, or says why it was not.
template <typename Layer>
absl::Status Keep(absl::StatusOr<Layer> loaded, std::optional<Layer>& layer) {
  if (!loaded.ok()) return loaded.status();
  layer.emplace(*std::move(loaded));
  return absl::OkStatus();
}

}  // namespace deberta::model

#endif  // MODEL_WEIGHT_READER_H_
