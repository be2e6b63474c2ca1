// What the tensors of heads over words and labels are made of.

#ifndef MODEL_WEIGHTS_LABEL_WEIGHTS_H_
#define MODEL_WEIGHTS_LABEL_WEIGHTS_H_

#include <cstdint>
#include <string>

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
// output; or of a GRU, reset, update, new.
struct RecurrentWeights {
  const TensorView* input = nullptr;       // [gates n, in]
  const TensorView* state = nullptr;       // [gates n, n]
  const TensorView* input_bias = nullptr;  // [gates n]
  const TensorView* state_bias = nullptr;  // [gates n]
};

struct BidirectionalLstmWeights {
  RecurrentWeights forward;
  RecurrentWeights backward;
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
  MlpWeights scores;    // [4 D, 3 D], [outputs, 4 D]
};

struct MlpShape {
  int64_t in = 0;
  int64_t inner = 0;
  int64_t out = 0;
};

// Layers 0 and `second` of the Sequential of that name.
MlpWeights BindMlp(const std::string& name, const MlpShape& shape, int second,
                   TensorBinder& binder);
// `name`.weight_ih_l0 and so on, with `end` ("_l0").
RecurrentWeights BindRecurrent(const std::string& name, const std::string& end,
                               int64_t gates, int64_t in, int64_t n,
                               TensorBinder& binder);
// Layer `layer` of an LSTM of torch, [in] -> [2 n].
BidirectionalLstmWeights BindLstm(const std::string& name, int64_t layer,
                                  int64_t in, int64_t n, TensorBinder& binder);
// `prefix` ends in a dot.
SpanScorerWeights BindSpanScorer(const std::string& prefix, SpanMode mode,
                                 int64_t d, TensorBinder& binder);

}  // namespace deberta::model

#endif  // MODEL_WEIGHTS_LABEL_WEIGHTS_H_
