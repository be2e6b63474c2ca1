// What stands on the encoder: hidden rows in, logits out (spec section 3).

#ifndef MODEL_HEADS_H_
#define MODEL_HEADS_H_

#include <cstddef>
#include <optional>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/layers/layer_norm.h"
#include "model/layers/linear.h"
#include "model/runtime/workspace.h"
#include "model/weight_reader.h"
#include "model/weights/head_weights.h"

namespace deberta::model {

// Each head is a chain of layers and a last, linear one:
//   sequences, choices           classifier(act(pooler x)), on each first row
//   token classification, QA     classifier(x)
//   masked language model        decoder(LayerNorm(act(dense x)))
//   replaced-token detection     (0, classifier(act(dense(LayerNorm(x)))))
//   declared                     its layers, then its outputs side by side, on
//                                each pooled row
class HeadLayers {
 public:
  // Nothing to compute for Head::kNone.
  static absl::StatusOr<HeadLayers> Load(const HeadWeights& weights,
                                         WeightReader& reader);

  // x [Linear::PaddedRows(rows), hidden] -> logits [rows, width()]. x may be
  // overwritten. REQUIRES: width() > 0.
  void Forward(float* x, size_t rows, float* logits,
               Workspace& workspace) const;

  // Columns of the logits; 0 without a head.
  size_t width() const { return last_.has_value() ? last_->out() : 0; }
  size_t bytes() const;

 private:
  HeadLayers() = default;

  // Adds the layers of a declared head, and its outputs as the last.
  absl::Status LoadDeclared(const HeadWeights& weights, WeightReader& reader);
  absl::Status AddLinear(const LinearWeights& weights, Activation activation,
                         WeightReader& reader);
  absl::Status SetLast(absl::StatusOr<Linear> packed);

  size_t input_width_ = 0;
  std::vector<std::variant<Linear, LayerNorm, Activation>> layers_;
  std::optional<Linear> last_;
};

}  // namespace deberta::model

#endif  // MODEL_HEADS_H_
