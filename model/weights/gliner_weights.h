// The tensors of GLiNER's heads over words and labels (spec gliner 1.3).

#ifndef MODEL_WEIGHTS_GLINER_WEIGHTS_H_
#define MODEL_WEIGHTS_GLINER_WEIGHTS_H_

#include <optional>
#include <vector>

#include "model/checkpoint/config.h"
#include "model/checkpoint/gliner_config.h"
#include "model/checkpoint/tensor.h"
#include "model/weights/tensor_binder.h"

namespace deberta::model {

// Two linear layers with an activation between them.
struct MlpWeights {
  LinearWeights first;
  LinearWeights second;
};

// One direction of a layer of an LSTM, its gates ordered input, forget, cell,
// output.
struct LstmWeights {
  const TensorView* input = nullptr;       // [4 n, in]
  const TensorView* state = nullptr;       // [4 n, n]
  const TensorView* input_bias = nullptr;  // [4 n]
  const TensorView* state_bias = nullptr;  // [4 n]
};

struct BidirectionalLstmWeights {
  LstmWeights forward;
  LstmWeights backward;
};

// Weighs the encoder's layers: squeeze and excite.
struct LayerFuserWeights {
  LinearWeights squeeze;  // [1, hidden]
  MlpWeights gates;       // [layers / 2, layers], [layers, layers / 2]
  LinearWeights output;   // [hidden, hidden]
};

// D is the width of words and labels.
struct SpanScorerWeights {
  MlpWeights start;  // [4 D, D], [D, 4 D]; marker: 2 D
  MlpWeights end;
  // [4 D, 2 D], [D, 4 D]; markerV1 [4 D, 3 D]; marker: [D, 2 D] alone.
  MlpWeights span;
};

struct TokenScorerWeights {
  LinearWeights token;  // [2 D, D]
  LinearWeights label;  // [2 D, D]
  MlpWeights scores;    // [4 D, 3 D], [3, 4 D]
};

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

// Every tensor of them, each once or more; none is null.
std::vector<const TensorView*> TensorsOf(const GlinerWeights& weights);

}  // namespace deberta::model

#endif  // MODEL_WEIGHTS_GLINER_WEIGHTS_H_
