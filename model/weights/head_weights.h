// Which head a checkpoint holds, and its tensors.

#ifndef MODEL_WEIGHTS_HEAD_WEIGHTS_H_
#define MODEL_WEIGHTS_HEAD_WEIGHTS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/checkpoint/config.h"
#include "model/checkpoint/tensor.h"
#include "model/weights/declared_head.h"
#include "model/weights/tensor_binder.h"

namespace deberta::model {

// What stands on top of the encoder, and the logits it gives.
enum class Head {
  kNone,                    // hidden states only
  kSequenceClassification,  // pooler + classifier            [labels]
  kTokenClassification,     // classifier on every token      [tokens, labels]
  kQuestionAnswering,       // qa_outputs: start and end      [tokens, 2]
  kMaskedLanguageModel,     // see FillMaskDecoder            [masks, vocab]
  // Pooler + classifier on each choice, a sequence each: [1]. The choices'
  // logits go through one softmax.
  kMultipleChoice,
  // A v3 discriminator: ORIGINAL and REPLACED [tokens, 2], as (0, x), so that
  // their softmax is the sigmoid of the original code. Fills no masks, even if
  // the file holds `lm_predictions` too: those were the generator's.
  kReplacedTokenDetection,
};

// What makes the scores of a masked token.
enum class FillMaskDecoder {
  kLegacy,    // cls.predictions on the hidden states: transformers' default
  kPlain,     // lm_predictions.lm_head on the hidden states
  kEnhanced,  // lm_predictions.lm_head after the Enhanced Mask Decoder
};

// "legacy", "plain" and "emd".
std::string_view FillMaskDecoderName(FillMaskDecoder decoder);
// InvalidArgument for any other name.
absl::StatusOr<FillMaskDecoder> ParseFillMaskDecoder(std::string_view name);

// One layer of a declared head: linear, a norm, or an activation alone.
struct HeadLayerWeights {
  LinearWeights linear;
  LayerNormWeights norm;
  Activation activation = Activation::kLinear;
};

struct HeadWeights {
  Head head = Head::kNone;
  std::optional<FillMaskDecoder> decoder;  // of a masked language model
  // Names of the logits' columns: the configuration's of classifiers, ORIGINAL
  // and REPLACED of replaced-token detection, else empty.
  std::vector<std::string> labels;

  LinearWeights pooler;  // [hidden, hidden]: sequences and choices
  // Classifier of sequences, tokens, choices and replaced tokens; qa_outputs.
  LinearWeights classifier;
  // Masked language model: LN(act(dense h)) decoder^T + bias.
  // Replaced-token detection: classifier(act(dense(LN(h_0 + h)))).
  LinearWeights dense;    // [E, hidden]
  LayerNormWeights norm;  // [E]
  // [vocab, E]; word_embeddings if tied.
  const TensorView* decoder_weight = nullptr;
  const TensorView* decoder_bias = nullptr;  // [vocab]
  // [max_position_embeddings, hidden] of the Enhanced Mask Decoder.
  const TensorView* decoder_positions = nullptr;

  // Of a declared head, which counts as one of sequences; its `classifier` is
  // null. Columns of `outputs` stand side by side.
  std::vector<HeadLayerWeights> layers;
  std::vector<LinearWeights> outputs;
  SequencePooling pooling = SequencePooling::kFirst;
  int32_t marker = -1;
};

// Chooses the head and finds its tensors.
//
// The head is the architecture's, which must be a class of transformers.
// Without one, it is what the tensors make up: `qa_outputs`, `pooler` and
// `classifier` (a `classifier` alone is anyone's, and refused),
// `mask_predictions`, else one that fills masks. An architecture *ForMaskedLM
// that finds `mask_predictions` in its file, and nothing that transformers
// would load, is a discriminator all the same.
//
// A mask is filled by `cls.predictions` (legacy) or `lm_predictions.lm_head`,
// whichever is present, the configuration's `legacy` if both are.
// lm_predictions is enhanced where the file has position embeddings that the
// input leaves out (position_biased_input false): only Microsoft's own
// pretraining writes those, and only for this decoder. `"legacy": false` in the
// configuration says that transformers saved the model, whose head is plain.
//
// `fill_mask` outranks all this: the model fills masks, by this decoder. So
// does `declared` (null: none), which is a head of sequences.
//
// InvalidArgument where the configuration does not allow the decoder (plain and
// enhanced: E == hidden; enhanced: position_biased_input false and two layers),
// or where what it says of labels or pooler is wrong and the head has them.
// Tensors that are missing or misshapen are noted in `binder`.
absl::StatusOr<HeadWeights> BindHead(const Config& config,
                                     std::optional<FillMaskDecoder> fill_mask,
                                     const DeclaredHead* declared,
                                     const TensorView* word_embeddings,
                                     TensorBinder& binder);

// Multiply-adds of the head's matrices on one row, over those of the encoder's
// on one token: layers x (4 hidden^2 + 2 hidden x intermediate). Left out are
// attention, which grows with the length, and the passes of the last layer by
// which the Enhanced Mask Decoder stands in for the encoder's own.
double RowCost(const HeadWeights& head, const Config& config);

}  // namespace deberta::model

#endif  // MODEL_WEIGHTS_HEAD_WEIGHTS_H_
