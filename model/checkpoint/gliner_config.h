// gliner_config.json: what GLiNER puts on its encoder (spec gliner 1.1, 1.2).

#ifndef MODEL_CHECKPOINT_GLINER_CONFIG_H_
#define MODEL_CHECKPOINT_GLINER_CONFIG_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/checkpoint/config.h"
#include "model/checkpoint/label_head.h"

namespace deberta::model {

inline constexpr char kGlinerConfigFile[] = "gliner_config.json";

enum class SpanMode { kMarker, kMarkerV0, kMarkerV1 };
// Which of a word's tokens are read.
enum class WordPooling { kFirst, kLast, kMean, kMax };

struct GlinerConfig {
  // The label token's id is -1 until the rows of the word embeddings are known,
  // where the file does not give it.
  LabelHead head = {};
  SpanMode span_mode = SpanMode::kMarkerV0;  // of what scores spans
  WordPooling pooling = WordPooling::kFirst;
  int64_t width = 0;       // D; the encoder's where nothing is projected
  int64_t rnn_layers = 0;  // of the bidirectional LSTM over words
  bool fuses_layers = false;

  // Special tokens that its tokenizer's files may lack; none where the file
  // gives the label token's id.
  std::vector<std::string> special_tokens = {};
  // "microsoft/deberta-v3-small": whose tokenizer it is.
  std::string encoder_name = {};
};

// A model whose head reads the caller's labels.
struct GlinerModel {
  Config encoder = {};
  GlinerConfig gliner = {};
};

// Without "encoder_config" in the file the encoder's is `config_json`, a
// config.json that stands beside it ("": none), else that of the "model_name",
// if it is one of Microsoft's v3 models. InvalidArgument names what is not
// served.
absl::StatusOr<GlinerModel> ParseGlinerConfig(std::string_view text,
                                              std::string_view config_json);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_GLINER_CONFIG_H_
