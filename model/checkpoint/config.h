// config.json of a DeBERTa checkpoint: every key that changes what is computed
// (spec section 1), with the reference's defaults. Keys outside that list are
// ignored; values we cannot honour are refused by name, those that only some
// heads read once such a head is there.

#ifndef MODEL_CHECKPOINT_CONFIG_H_
#define MODEL_CHECKPOINT_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace deberta::model {

enum class Family {
  kDeberta,    // model_type "deberta": v1
  kDebertaV2,  // model_type "deberta-v2": v2, v3 and mDeBERTa
};

enum class Activation {
  kGelu,      // exact, by erf; "gelu_python" too
  kGeluTanh,  // gelu_new, gelu_accurate, gelu_pytorch_tanh, gelu_python_tanh
  kGeluFast,
  kQuickGelu,
  kGelu10,
  kRelu,
  kRelu2,
  kRelu6,
  kSilu,
  kTanh,
  kSigmoid,
  kLinear,
  kLeakyRelu,
  kMish,
};

// The class of transformers that `architectures` names; unknown where it names
// none.
enum class Architecture {
  kUnknown,
  kModel,
  kMaskedLanguageModel,
  kSequenceClassification,
  kTokenClassification,
  kQuestionAnswering,
  kMultipleChoice,
};

enum class ProblemType { kUnset, kRegression, kSingleLabel, kMultiLabel };

struct Config {
  Family family = Family::kDeberta;
  Architecture architecture = Architecture::kUnknown;
  std::string class_name;  // as `architectures` names it; "" if it does not
  // Why it is not known which head the directory has: `architectures` or
  // `auto_map` name a class of its own, or one of another family.
  absl::Status architecture_error;

  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  int64_t head_size = 0;  // d = hidden_size / num_attention_heads
  int64_t intermediate_size = 0;
  int64_t embedding_size = 0;  // E; hidden_size where absent
  int64_t max_position_embeddings = 512;
  int64_t type_vocab_size = 0;
  float layer_norm_eps = 1e-7f;
  Activation hidden_act = Activation::kGelu;
  Activation pooler_act = Activation::kGelu;
  absl::Status pooler_error;  // why no pooler can be made
  bool position_biased_input = true;

  bool relative_attention = false;
  int64_t max_relative_positions = 0;  // R, resolved (>= 1)
  int64_t position_buckets = -1;       // v2 only; <= 0: linear
  // The score's positional terms; false without relative_attention.
  bool c2p = false;
  bool p2c = false;
  // s of the score's scale sqrt(d * s): v1 counts the entries of pos_att_type,
  // whatever they are; v2 counts c2p and p2c (spec 2.5, 2.6).
  int64_t scale_factor = 1;
  bool share_att_key = false;  // v2 only
  // v2 only: "layer_norm" in norm_rel_ebd; of no effect without
  // relative_attention.
  bool norm_rel_embeddings = false;

  int64_t conv_kernel_size = 0;  // v2 only; 0: no convolution
  int64_t conv_groups = 1;
  Activation conv_act = Activation::kTanh;

  bool legacy_mlm_head = true;
  bool tie_word_embeddings = true;
  // Of the transformers that saved the file; 0 if it does not say.
  int transformers_major = 0;
  // Label names by index: id2label, else label2id inverted, else LABEL_0, ...
  // (num_labels of them, 2 by default). Other values of id2label than strings
  // are as JSON has them: "true", "7".
  std::vector<std::string> labels;
  absl::Status labels_error;  // why `labels` is empty
  // The label that zero-shot classification reads, if it can: the index of the
  // first name in label2id that begins with "entail" in any case, which need
  // not be its index in id2label. Without label2id, the first such label.
  // Without id2label, only the last: the reference takes it then, whatever its
  // name.
  std::optional<size_t> entailment_label;
  ProblemType problem_type = ProblemType::kUnset;

  // S: rel_embeddings has 2S rows.
  int64_t relative_span() const {
    return position_buckets > 0 ? position_buckets : max_relative_positions;
  }
};

// Multiply-adds of the encoder's matrices on one token.
double MultiplyAddsOfToken(const Config& config);

// InvalidArgument names the key, what was expected and what was got.
absl::StatusOr<Config> ParseConfig(std::string_view text);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_CONFIG_H_
