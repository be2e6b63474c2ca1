// The tensors of GLiClass's heads (spec gliner 4).

#ifndef MODEL_WEIGHTS_GLICLASS_WEIGHTS_H_
#define MODEL_WEIGHTS_GLICLASS_WEIGHTS_H_

#include <array>
#include <optional>

#include "model/checkpoint/config.h"
#include "model/checkpoint/gliclass_config.h"
#include "model/checkpoint/tensor.h"
#include "model/weights/label_weights.h"
#include "model/weights/tensor_binder.h"

namespace deberta::model {

// H is the encoder's width.
struct GliclassWeights {
  std::optional<BidirectionalLstmWeights> lstm;  // [H] -> [H]
  MlpWeights text;                               // [width, H], [H, width]
  MlpWeights labels;
  std::optional<TokenScorerWeights> weighted_dot;
  // Of kMlp and kHopfield: [256, 2 H or H], [128, 256], [1, 128].
  std::array<LinearWeights, 3> mlp;
  std::array<LinearWeights, 3> hopfield;    // q, k, v [H, H] without biases
  const TensorView* logit_scale = nullptr;  // one number; where it normalizes
};

// Missing and misshapen tensors are noted in `binder`.
GliclassWeights BindGliclass(const Config& config,
                             const GliclassConfig& gliclass,
                             TensorBinder& binder);

}  // namespace deberta::model

#endif  // MODEL_WEIGHTS_GLICLASS_WEIGHTS_H_
