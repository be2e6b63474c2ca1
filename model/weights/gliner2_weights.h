// The tensors of GLiNER2's heads (spec gliner 3.1).

#ifndef MODEL_WEIGHTS_GLINER2_WEIGHTS_H_
#define MODEL_WEIGHTS_GLINER2_WEIGHTS_H_

#include <array>
#include <cstdint>
#include <optional>

#include "model/checkpoint/config.h"
#include "model/checkpoint/gliner2_config.h"
#include "model/checkpoint/tensor.h"
#include "model/weights/label_weights.h"
#include "model/weights/tensor_binder.h"

namespace deberta::model {

// Instances of a group that can be counted, one more than there can be.
inline constexpr int64_t kInstanceCounts = 20;

// H is the encoder's width. A layer of torch's TransformerEncoder, 128 wide.
struct FieldLayerWeights {
  LinearWeights in_proj;  // [3 x 128, 128]
  LinearWeights out_proj;
  LayerNormWeights attention_norm;
  MlpWeights inner;  // [256, 128], [128, 256]
  LayerNormWeights output_norm;
};

// Of labels that see each other.
struct FieldTransformerWeights {
  LinearWeights in;  // [128, H]
  std::array<FieldLayerWeights, 2> layers;
  std::array<LinearWeights, 3> out;  // [H, H + 128], [H, H], [H, H]
};

struct ExpertsWeights {
  const TensorView* inner = nullptr;       // [4, H, 2 H]
  const TensorView* inner_bias = nullptr;  // [4, 2 H]
  const TensorView* outer = nullptr;       // [4, 2 H, H]
  const TensorView* outer_bias = nullptr;  // [4, H]
  MlpWeights router;                       // [H, H], [4, H]
};

struct Gliner2Weights {
  SpanScorerWeights spans;
  MlpWeights classifier;                     // [2 H, H], [1, 2 H]
  MlpWeights counts;                         // [2 H, H], [kInstanceCounts, 2 H]
  const TensorView* instances = nullptr;     // [kInstanceCounts, H]
  RecurrentWeights gru;                      // [H] -> [H]
  std::optional<MlpWeights> projector = {};  // [4 H, 2 H], [H, 4 H]
  std::optional<FieldTransformerWeights> transformer = {};
  std::optional<ExpertsWeights> experts = {};
};

// Missing and misshapen tensors are noted in `binder`.
Gliner2Weights BindGliner2(const Config& config, const Gliner2Config& gliner2,
                           TensorBinder& binder);

}  // namespace deberta::model

#endif  // MODEL_WEIGHTS_GLINER2_WEIGHTS_H_
