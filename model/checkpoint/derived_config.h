// What a configuration without model_type leaves out, from the tensors.

#ifndef MODEL_CHECKPOINT_DERIVED_CONFIG_H_
#define MODEL_CHECKPOINT_DERIVED_CONFIG_H_

#include <string>
#include <string_view>

#include "model/checkpoint/tensor.h"

namespace deberta::model {

// Whether `text` is a JSON object without a model_type.
bool LacksModelType(std::string_view text);

// `text` with a model_type before its own keys, if the tensors, by their
// normalised names, are DeBERTa's. Where it has no hidden_size either, as
// configurations of heads with code of their own, with the keys that shapes
// tell, and those that all released models of that shape share: heads of 64,
// c2p and p2c, 512 positions. Keys of `text` come after, and so go before.
// REQUIRES: LacksModelType(text).
std::string WithDerivedKeys(std::string_view text, const TensorMap& tensors);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_DERIVED_CONFIG_H_
