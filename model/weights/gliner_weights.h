// The tensors of GLiNER's heads over words and labels (spec gliner 1.3).

#ifndef MODEL_WEIGHTS_GLINER_WEIGHTS_H_
#define MODEL_WEIGHTS_GLINER_WEIGHTS_H_

#include <optional>
#include <vector>

#include "model/checkpoint/config.h"
#include "model/checkpoint/gliner_config.h"
#include "model/weights/label_weights.h"
#include "model/weights/tensor_binder.h"

namespace deberta::model {

// Weighs the encoder's layers: squeeze and excite.
struct LayerFuserWeights {
  LinearWeights squeeze;  // [1, hidden]
  MlpWeights gates;       // [layers / 2, layers], [layers, layers / 2]
  LinearWeights output;   // [hidden, hidden]
};

// D is the width of words and labels.
struct GlinerWeights {
  std::optional<LayerFuserWeights> fuser;
  LinearWeights projection;  // [D, hidden] iff they differ
  std::vector<BidirectionalLstmWeights> lstm;
  std::optional<SpanScorerWeights> spans;
  MlpWeights prompt;  // [4 D, D], [D, 4 D]; of span models
  std::optional<TokenScorerWeights> tokens;
};

// Of a model with an encoder of `config`. Missing and misshapen tensors are
// noted in `binder`.
GlinerWeights BindGliner(const Config& config, const GlinerConfig& gliner,
                         TensorBinder& binder);

}  // namespace deberta::model

#endif  // MODEL_WEIGHTS_GLINER_WEIGHTS_H_
