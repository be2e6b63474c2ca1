// Tensor names as checkpoints write them, and as the model asks for them.

#ifndef MODEL_CHECKPOINT_WEIGHT_NAMES_H_
#define MODEL_CHECKPOINT_WEIGHT_NAMES_H_

#include <string>
#include <string_view>

namespace deberta::model {

// Drops `module.`, then `deberta.` (or `bert.`, as the oldest files have it);
// LayerNorm.gamma and .beta become .weight and .bias.
std::string NormalizeWeightName(std::string_view name);

// Ends the name of a tensor that is only what training added to embeddings that
// another model shares; their sum is the same name with ".weight".
inline constexpr std::string_view kAddedWeight = "._weight";
// REQUIRES: `name` ends in kAddedWeight.
std::string SumOfAddedWeight(std::string_view name);

// Whether a checkpoint may hold `name` (normalised) though the model in hand
// has no use for it: heads of other tasks, position embeddings and buffers.
bool IsIgnoredWeight(std::string_view name);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_WEIGHT_NAMES_H_
