// A head that no class of transformers has, as deberta.json or a known
// publisher's config.json declares it.

#ifndef MODEL_WEIGHTS_DECLARED_HEAD_H_
#define MODEL_WEIGHTS_DECLARED_HEAD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "model/checkpoint/config.h"

namespace deberta::model {

// How the hidden states of a sequence become one row.
enum class SequencePooling {
  kFirst,   // that of the first token
  kLast,    // of the last
  kMarker,  // of the first token with a certain id; of the first if none has it
  kMean,    // their mean, special tokens included
  kMax,     // the greatest of each column
};

struct DeclaredHead {
  struct Layer {
    enum class Kind { kLinear, kActivation, kLayerNorm };
    Kind kind = Kind::kLinear;
    std::string tensors = {};  // NAME.weight and NAME.bias, but of kActivation
    Activation activation = Activation::kLinear;  // of kActivation
  };
  // A linear layer whose columns have labels. Their logits stand side by side.
  struct Output {
    std::string tensors = {};
    // Empty: those of config.json if there is one output of as many columns,
    // else LABEL_0, LABEL_1, ...
    std::vector<std::string> labels = {};
  };
  SequencePooling pooling = SequencePooling::kFirst;
  int32_t marker = -1;  // id, of kMarker
  // Between the pooled row and the outputs.
  std::vector<Layer> layers = {};
  std::vector<Output> outputs = {};  // at least one
};

}  // namespace deberta::model

#endif  // MODEL_WEIGHTS_DECLARED_HEAD_H_
