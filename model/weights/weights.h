// The tensors of one model by role, checked against the configuration.
//
// Views into the checkpoint's mapping: nothing is copied or packed here.

#ifndef MODEL_WEIGHTS_WEIGHTS_H_
#define MODEL_WEIGHTS_WEIGHTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "model/checkpoint/checkpoint.h"
#include "model/checkpoint/tensor.h"
#include "model/weights/gliclass_weights.h"
#include "model/weights/gliner2_weights.h"
#include "model/weights/gliner_weights.h"
#include "model/weights/head_weights.h"
#include "model/weights/tensor_binder.h"

namespace deberta::model {

// One encoder layer. v1 has `in_proj` (rows ordered [heads, {q, k, v}, d]),
// `q_bias` and `v_bias`; v2 has the three projections, as have v1 checkpoints
// of Microsoft's current code, where the biases of the keys may be absent.
struct LayerWeights {
  const TensorView* in_proj = nullptr;  // [3 hidden, hidden]
  const TensorView* q_bias = nullptr;   // [hidden]
  const TensorView* v_bias = nullptr;   // [hidden]
  LinearWeights query_proj;
  LinearWeights key_proj;
  LinearWeights value_proj;
  // c2p and p2c projections of the relative embeddings. v1: pos_proj (no bias)
  // and pos_q_proj. v2 with share_att_key: the same tensors as key_proj and
  // query_proj. Null where pos_att_type leaves the term out.
  LinearWeights pos_key_proj;
  LinearWeights pos_query_proj;
  LinearWeights attention_output;
  LayerNormWeights attention_norm;
  LinearWeights intermediate;  // [intermediate, hidden]
  LinearWeights output;        // [hidden, intermediate]
  LayerNormWeights output_norm;
};

struct ConvolutionWeights {
  const TensorView* weight = nullptr;  // [hidden, hidden / groups, kernel]
  const TensorView* bias = nullptr;    // [hidden]
  LayerNormWeights norm;
};

struct Weights {
  const TensorView* word_embeddings = nullptr;        // [vocab, E]
  const TensorView* position_embeddings = nullptr;    // null unless used
  const TensorView* token_type_embeddings = nullptr;  // null unless used
  const TensorView* embed_proj = nullptr;  // [hidden, E] iff E != hidden
  LayerNormWeights embeddings_norm;
  const TensorView* rel_embeddings = nullptr;  // [2S, hidden]
  std::optional<LayerNormWeights> rel_norm;
  std::optional<ConvolutionWeights> convolution;
  std::vector<LayerWeights> layers;
  HeadWeights head;
  // Elements of all tensors used, each tensor once.
  int64_t parameters = 0;
  // Tensors that the model has no role for, but for idle ones and pretraining
  // heads: worth a warning, as the reference gives one.
  std::vector<std::string> unexpected;

  // Of a model whose head reads the caller's labels, and whose `head` is none:
  // as its label_config() is. And all of its tensors.
  std::variant<std::monostate, GlinerWeights, GliclassWeights, Gliner2Weights>
      label_head;
  std::vector<const TensorView*> label_tensors;
};

// Finds every tensor that the configuration and the head need, and checks its
// shape. If any is missing or misshapen, one InvalidArgument lists all missing,
// misshapen and unexpected tensors together (the first 20 of each kind).
// `fill_mask`, `declared`: see BindHead.
//
// A directory is served as what it was trained as, or not at all. It is refused
// where the architecture is none of the reference's classes, and where tensors
// are left over that show another head than the one that happens to fit:
//
//   left over (WeightKind)     verdict
//   idle, pretraining heads    served: fine-tuning leaves them
//   parts of the backbone      served, with a warning: the configuration turns
//                              them off, and the reference does without too
//   pooler, classifier,        refused; served with a warning where the
//   qa_outputs                 architecture is the bare model's, or
//   deberta.json
//                              says how masks are filled: nothing reads them
//   anything else              refused: code of its own reads it
//
// Where a configuration of labels says what the head is, whatever is left over
// gets a warning: the reference lets it lie too.
absl::StatusOr<Weights> BindWeights(
    const Checkpoint& checkpoint,
    std::optional<FillMaskDecoder> fill_mask = std::nullopt,
    const DeclaredHead* declared = nullptr);

}  // namespace deberta::model

#endif  // MODEL_WEIGHTS_WEIGHTS_H_
