// A config.json of model_type "GLiClass": what it puts on its encoder (spec
// gliner 4).

#ifndef MODEL_CHECKPOINT_GLICLASS_CONFIG_H_
#define MODEL_CHECKPOINT_GLICLASS_CONFIG_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "model/checkpoint/config.h"
#include "model/checkpoint/config_fields.h"
#include "model/checkpoint/label_head.h"

namespace deberta::model {

// What is made of the tokens of the text.
enum class TextPooling {
  kFirst,
  kLast,
  kMax,
  kMean,
  kSum,
  kRootMeanSquare,
  kLargestMagnitude,
  kMeanMagnitude,
};

// How a text's vector t and a label's c are scored.
enum class ClassScorer {
  kDot,          // t . c
  kMlp,          // of [t | c]
  kWeightedDot,  // as GLiNER scores words
  kHopfield,     // an MLP of c + softmax(q_c . k_t) v_t
};

struct GliclassConfig {
  LabelHead head = {};
  TextPooling pooling = TextPooling::kFirst;
  ClassScorer scorer = ClassScorer::kDot;
  int64_t width = 0;  // between the two layers of its projectors
  Activation activation = Activation::kGelu;  // there
  bool runs_lstm = false;                     // over the text's tokens
  bool normalizes = false;                    // vectors, before they are scored
};

struct GliclassModel {
  Config encoder = {};
  GliclassConfig gliclass = {};
};

// InvalidArgument names what is not served. REQUIRES: an object.
absl::StatusOr<GliclassModel> ParseGliclassConfig(const Json& object);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_GLICLASS_CONFIG_H_
