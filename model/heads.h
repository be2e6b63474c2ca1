// What stands on the encoder: hidden rows in, logits out (spec section 3).

#ifndef MODEL_HEADS_H_
#define MODEL_HEADS_H_

#include <cstddef>
#include <optional>

#include "absl/status/statusor.h"
#include "model/layers/layer_norm.h"
#include "model/layers/linear.h"
#include "model/runtime/workspace.h"
#include "model/weight_reader.h"
#include "model/weights/head_weights.h"

namespace deberta::model {

// Each head is a chain of at most three:
//   sequences, choices           classifier(act(pooler x)), on each first row
//   token classification, QA     classifier(x)
//   masked language model        decoder(LayerNorm(act(dense x)))
//   replaced-token detection     (0, classifier(act(dense(LayerNorm(x)))))
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

  std::optional<LayerNorm> input_norm_;
  std::optional<Linear> first_;
  std::optional<LayerNorm> norm_;
  std::optional<Linear> last_;
};

}  // namespace deberta::model

#endif  // MODEL_HEADS_H_
