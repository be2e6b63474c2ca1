#include "model/checkpoint/gliclass_config.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace deberta::model {
namespace {

constexpr int64_t kMaxWidth = int64_t{1} << 14;
constexpr int64_t kMaxTokenId = int64_t{1} << 24;
// The pipeline's max_length.
constexpr size_t kMaxTokens = 1024;
// Rows of segment_embeddings: of labels, of the text, of examples.
constexpr int64_t kSegments = 3;

constexpr std::pair<const char*, bool> kArchitectures[] = {
    {"uni-encoder", true}};
constexpr std::pair<const char*, TextPooling> kPoolings[] = {
    {"first", TextPooling::kFirst},
    {"last", TextPooling::kLast},
    {"max", TextPooling::kMax},
    {"avg", TextPooling::kMean},
    {"sum", TextPooling::kSum},
    {"rms", TextPooling::kRootMeanSquare},
    {"abs_max", TextPooling::kLargestMagnitude},
    {"abs_avg", TextPooling::kMeanMagnitude},
};
constexpr std::pair<const char*, bool> kLabelPoolings[] = {{"first", false},
                                                           {"average", true}};
constexpr std::pair<const char*, ClassScorer> kScorers[] = {
    {"simple", ClassScorer::kDot},
    {"mlp", ClassScorer::kMlp},
    {"weighted-dot", ClassScorer::kWeightedDot},
    {"hopfield", ClassScorer::kHopfield},
};

// What the package cannot compute itself under transformers 4.57, or only
// together with what is not served.
void RefuseLayers(ConfigFields& fields) {
  if (fields.Bool("squeeze_layers", false)) {
    fields.Refuse("squeeze_layers",
                  "false: gliclass fails on its own mixture of the layers "
                  "with transformers 4.57",
                  "true");
  }
  const int64_t layer =
      fields.Int("encoder_layer_id", -1, -kMaxWidth, kMaxWidth);
  if (layer != -1) {
    fields.Refuse("encoder_layer_id", "-1, the last layer",
                  absl::StrCat(layer));
  }
}

// Ids that are -1 in the file follow the vocabulary.
int32_t TokenId(ConfigFields& fields, const char* key, int64_t vocabulary,
                int64_t place) {
  const int64_t id = fields.Int(key, -1, -1, kMaxTokenId);
  return static_cast<int32_t>(id == -1 ? vocabulary + place : id);
}

void ReadHead(ConfigFields& fields, const Config& encoder, LabelHead& head) {
  head.kind = LabelHeadKind::kClasses;
  head.architecture =
      absl::StrCat("gliclass ", fields.Text("scorer_type", "simple"));
  head.max_tokens = kMaxTokens;
  head.label_token = "<<LABEL>>";
  head.separator_token = "<<SEP>>";
  const int64_t vocabulary =
      fields.Int("vocab_size", encoder.vocab_size, 0, kMaxTokenId);
  head.label_token_id = TokenId(fields, "class_token_index", vocabulary, 0);
  head.separator_token_id = TokenId(fields, "text_token_index", vocabulary, 1);
  head.reads_label_token = fields.Bool("embed_class_token", true);
  head.labels_first = fields.Bool("prompt_first", false);
  head.averages_labels =
      OneOf(fields, "class_token_pooling", "first", kLabelPoolings);
  head.reads_from_separator = fields.Bool("extract_text_features", false);
  head.marks_separator = fields.Bool("use_segment_embeddings", false);
}

// Multiply-adds of the head, over those of the encoder on a token.
void SetCosts(const Config& encoder, GliclassConfig& gliclass) {
  const auto hidden = static_cast<double>(encoder.hidden_size);
  const auto width = static_cast<double>(gliclass.width);
  const double token = MultiplyAddsOfToken(encoder);
  LabelHead& head = gliclass.head;
  if (gliclass.runs_lstm) head.word_cost = 6 * hidden * hidden / token;
  head.label_cost = 2 * hidden * width / token;
  if (gliclass.scorer == ClassScorer::kWeightedDot) {
    head.label_cost += 10 * hidden * hidden / token;
  } else if (gliclass.scorer != ClassScorer::kDot) {
    head.label_cost += hidden * (hidden + 512) / token;
  }
}

}  // namespace

absl::StatusOr<GliclassModel> ParseGliclassConfig(const Json& object) {
  ConfigFields fields(object);
  OneOf(fields, "architecture_type", "uni-encoder", kArchitectures);
  RefuseLayers(fields);
  if (!fields.status().ok()) return fields.status();
  absl::StatusOr<Config> encoder = NestedEncoder(fields, "encoder_config");
  if (!encoder.ok()) return encoder.status();

  GliclassConfig gliclass;
  ReadHead(fields, *encoder, gliclass.head);
  gliclass.pooling = OneOf(fields, "pooling_strategy", "first", kPoolings);
  gliclass.scorer = OneOf(fields, "scorer_type", "simple", kScorers);
  gliclass.width =
      fields.Int("hidden_size", encoder->hidden_size, 1, kMaxWidth);
  gliclass.activation = fields.ActivationNamed("projector_hidden_act", "gelu");
  gliclass.runs_lstm = fields.Bool("use_lstm", false);
  gliclass.normalizes = fields.Bool("normalize_features", false);
  const bool wide = gliclass.runs_lstm || gliclass.scorer != ClassScorer::kDot;
  if (wide && gliclass.width != encoder->hidden_size) {
    fields.Refuse("hidden_size",
                  absl::StrCat("the encoder's (", encoder->hidden_size,
                               "), with an LSTM or this scorer"),
                  absl::StrCat(gliclass.width));
  }
  if (gliclass.runs_lstm && gliclass.width % 2 != 0) {
    fields.Refuse("hidden_size", "an even number, half of it of each direction",
                  absl::StrCat(gliclass.width));
  }
  if (gliclass.head.marks_separator) {
    if (encoder->type_vocab_size > 0) {
      fields.Refuse("use_segment_embeddings",
                    "false: the encoder has types of its own", "true");
    }
    encoder->type_vocab_size = kSegments;
  }
  if (!fields.status().ok()) return fields.status();
  SetCosts(*encoder, gliclass);
  return GliclassModel{*std::move(encoder), std::move(gliclass)};
}

}  // namespace deberta::model
