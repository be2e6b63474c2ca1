// Tensor names as checkpoints write them, and as the model asks for them.

#ifndef MODEL_CHECKPOINT_WEIGHT_NAMES_H_
#define MODEL_CHECKPOINT_WEIGHT_NAMES_H_

#include <string>
#include <string_view>

namespace deberta::model {

// Drops `module.`, then `deberta.` (or `bert.`, as the oldest files have it;
// `model.` or `backbone.`, as classes of others name it; `backbone`, where it
// is declared) before the backbone's tensors: a head's tensor below it is none
// of the reference's. LayerNorm.gamma and .beta become .weight and .bias.
std::string NormalizeWeightName(std::string_view name,
                                std::string_view backbone = "deberta.");

// Ends the name of a tensor that is only what training added to embeddings that
// another model shares; their sum is the same name with ".weight".
inline constexpr std::string_view kAddedWeight = "._weight";
// REQUIRES: `name` ends in kAddedWeight.
std::string SumOfAddedWeight(std::string_view name);

// What a tensor (by its normalised name) can be to a model that has no use for
// it.
enum class WeightKind {
  // Buffers and differences: no one's parameters. position_ids, *._weight,
  // position embeddings, which pretraining leaves.
  kIdle,
  // The head of masked or replaced token pretraining, which stays in files that
  // are trained on: that of cls.predictions, lm_predictions.*,
  // mask_predictions.*.
  kPretrainingHead,
  // A fine-tuned head of transformers' classes: pooler.dense, classifier,
  // qa_outputs.
  kTaskHead,
  // A part of the backbone that a configuration turns off: transformers leaves
  // it out, and warns.
  kBackbone,
  // None of transformers' DeBERTa classes has it: code of its own reads it.
  kForeign,
};
WeightKind KindOfWeight(std::string_view name);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_WEIGHT_NAMES_H_
