#include "model/checkpoint/gliner_config.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "model/checkpoint/config_fields.h"

namespace deberta::model {
namespace {

constexpr int64_t kMaxWords = int64_t{1} << 16;
constexpr int64_t kMaxSpan = 1024;
constexpr int64_t kMaxWidth = int64_t{1} << 14;
constexpr int64_t kMaxRnnLayers = 16;
constexpr int64_t kMaxTokenId = int64_t{1} << 24;

// The encoders that most files only name, and the reference downloads.
struct KnownEncoder {
  std::string_view name;
  int64_t hidden;
  int64_t layers;
  int64_t heads;
  int64_t vocabulary;
};
constexpr KnownEncoder kKnownEncoders[] = {
    {"microsoft/deberta-v3-xsmall", 384, 12, 6, 128100},
    {"microsoft/deberta-v3-small", 768, 6, 12, 128100},
    {"microsoft/deberta-v3-base", 768, 12, 12, 128100},
    {"microsoft/deberta-v3-large", 1024, 24, 16, 128100},
    {"microsoft/mdeberta-v3-base", 768, 12, 12, 251000},
};

constexpr char kDefaultEncoder[] = "microsoft/deberta-v3-small";

Json ConfigOf(const KnownEncoder& encoder) {
  return {{"model_type", "deberta-v2"},
          {"hidden_size", encoder.hidden},
          {"num_hidden_layers", encoder.layers},
          {"num_attention_heads", encoder.heads},
          {"intermediate_size", 4 * encoder.hidden},
          {"vocab_size", encoder.vocabulary},
          {"max_position_embeddings", 512},
          {"relative_attention", true},
          {"position_buckets", 256},
          {"norm_rel_ebd", "layer_norm"},
          {"share_att_key", true},
          {"pos_att_type", "p2c|c2p"},
          {"layer_norm_eps", 1e-7},
          {"max_relative_positions", -1},
          {"position_biased_input", false},
          {"type_vocab_size", 0}};
}

// What is not served: a key that names it, and what it is.
constexpr std::pair<const char*, const char*> kOtherModels[] = {
    {"relations_layer", "a model of relations"},
    {"labels_decoder", "a model that writes labels"},
    {"labels_encoder", "a model with a second encoder, of labels"},
    {"span_encoder_config",
     "a model with an encoder of words behind the first"},
    {"precomputed_prompts_mode", "a model whose labels were computed before"},
};

void RefuseOtherModels(ConfigFields& fields) {
  for (const auto& [key, what] : kOtherModels) {
    const Json* value = fields.Find(key);
    if (value == nullptr || *value == false || *value == "") continue;
    fields.Refuse(key,
                  "none (served are models with one encoder that reads labels "
                  "and text together)",
                  absl::StrCat(json::Shown(*value), ": ", what));
  }
  const Json* type = fields.Find("model_type");
  if (type != nullptr && type->is_string() &&
      type->get_ref<const std::string&>().find("streaming") !=
          std::string::npos) {
    fields.Refuse("model_type", "a model that reads a whole text",
                  json::Shown(*type));
  }
}

// The span modes, of which one means that tokens are scored.
constexpr std::pair<const char*, std::optional<SpanMode>> kSpanModes[] = {
    {"markerV0", SpanMode::kMarkerV0},
    {"marker", SpanMode::kMarker},
    {"markerV1", SpanMode::kMarkerV1},
    {"token_level", std::nullopt},
};
constexpr std::pair<const char*, WordPooling> kPoolings[] = {
    {"first", WordPooling::kFirst},
    {"last", WordPooling::kLast},
    {"mean", WordPooling::kMean},
    {"max", WordPooling::kMax},
};

void ReadSpanMode(ConfigFields& fields, GlinerConfig& gliner) {
  const std::optional<SpanMode> mode =
      OneOf(fields, "span_mode", "markerV0", kSpanModes);
  gliner.head.architecture =
      absl::StrCat("gliner ", fields.Text("span_mode", "markerV0"));
  const auto max_width =
      static_cast<size_t>(fields.Int("max_width", 12, 1, kMaxSpan));
  if (mode.has_value()) {
    gliner.head.kind = LabelHeadKind::kSpans;
    gliner.head.max_span_words = max_width;
    gliner.span_mode = *mode;
    return;
  }
  const bool represents = fields.Bool("represent_spans", false);
  gliner.head.kind =
      represents ? LabelHeadKind::kTokensAndSpans : LabelHeadKind::kTokens;
  if (represents) gliner.head.architecture += " represent_spans";
}

void ReadTokens(ConfigFields& fields, GlinerConfig& gliner) {
  gliner.head.label_token = fields.Text("ent_token", "<<ENT>>");
  gliner.head.separator_token = fields.Text("sep_token", "<<SEP>>");
  gliner.head.reads_label_token = fields.Bool("embed_ent_token", true);
  const int64_t id = fields.Int("class_token_index", -1, -1, kMaxTokenId);
  const int64_t rows = fields.Int("vocab_size", -1, -1, kMaxTokenId);
  // Old files leave both to the tokenizer.
  if (id >= 0 && rows >= 0) {
    gliner.head.label_token_id = static_cast<int32_t>(id);
  } else {
    gliner.special_tokens = {"[FLERT]", gliner.head.label_token,
                             gliner.head.separator_token};
  }
  gliner.encoder_name = fields.Text("model_name", kDefaultEncoder);
}

GlinerConfig ReadGliner(ConfigFields& fields) {
  GlinerConfig gliner;
  RefuseOtherModels(fields);
  ReadSpanMode(fields, gliner);
  gliner.pooling = OneOf(fields, "subtoken_pooling", "first", kPoolings);
  gliner.width = fields.Int("hidden_size", 512, 1, kMaxWidth);
  gliner.head.max_words =
      static_cast<size_t>(fields.Int("max_len", 384, 1, kMaxWords));
  gliner.rnn_layers =
      std::max(int64_t{0}, fields.Int("num_rnn_layers", 1, -1, kMaxRnnLayers));
  gliner.fuses_layers = fields.Bool("fuse_layers", false);
  if (gliner.rnn_layers > 0 && gliner.width % 2 != 0) {
    fields.Refuse("hidden_size", "an even number, half of it of each direction",
                  absl::StrCat(gliner.width));
  }
  const std::string splitter = fields.Text("words_splitter_type", "whitespace");
  if (splitter != "whitespace") {
    fields.Refuse("words_splitter_type",
                  "\"whitespace\": others are libraries of their own",
                  json::Shown(Json(splitter)));
  }
  ReadTokens(fields, gliner);
  return gliner;
}

// Of the encoder: that which stands beside the file, or that of a name that is
// known.
absl::StatusOr<Json> EncoderOf(ConfigFields& fields,
                               std::string_view config_json) {
  if (!config_json.empty()) {
    absl::StatusOr<Json> beside = json::Parse(config_json);
    if (!beside.ok() || !beside->is_object()) {
      return absl::InvalidArgumentError("config.json: expected a JSON object");
    }
    return beside;
  }
  const std::string name = fields.Text("model_name", kDefaultEncoder);
  std::string known;
  for (const KnownEncoder& encoder : kKnownEncoders) {
    if (encoder.name == name) return ConfigOf(encoder);
    absl::StrAppend(&known, known.empty() ? "" : ", ",
                    std::string(encoder.name));
  }
  fields.Refuse("model_name",
                absl::StrCat("without \"encoder_config\" one of ", known,
                             "; of another encoder, put its config.json into "
                             "the directory"),
                json::Shown(Json(name)));
  return fields.status();
}

// Multiply-adds of the head, over those of the encoder on a token.
void SetCosts(const Config& config, GlinerConfig& gliner) {
  const auto d = static_cast<double>(gliner.width);
  const auto hidden = static_cast<double>(config.hidden_size);
  const double token = MultiplyAddsOfToken(config);
  const double square = d * d / token;
  const double projected =
      gliner.width == config.hidden_size ? 0 : d * hidden / token;
  LabelHead& head = gliner.head;
  head.word_cost =
      projected + 6 * static_cast<double>(gliner.rnn_layers) * square;
  head.label_cost = projected;
  if (head.kind != LabelHeadKind::kSpans) {
    head.word_cost += 6 * square;
    head.label_cost += 6 * square;
    head.pair_cost = 4 * square + 12 * d / token;
  } else if (gliner.span_mode == SpanMode::kMarker) {
    head.word_cost += 8 * square;
    head.label_cost += 10 * square;
    head.pair_cost = 4 * d / token;
  } else {
    head.word_cost += 24 * square;
    head.label_cost += 12 * square;
    head.pair_cost = 4 * d * static_cast<double>(head.max_span_words) / token;
  }
}

}  // namespace

absl::StatusOr<GlinerModel> ParseGlinerConfig(std::string_view text,
                                              std::string_view config_json) {
  const absl::StatusOr<Json> object = ParseObject(text);
  if (!object.ok()) return object.status();
  ConfigFields fields(*object);
  GlinerConfig gliner = ReadGliner(fields);
  if (!fields.status().ok()) return fields.status();
  const auto parse = [&]() -> absl::StatusOr<Config> {
    if (fields.Find("encoder_config") != nullptr)
      return NestedEncoder(fields, "encoder_config");
    const absl::StatusOr<Json> encoder = EncoderOf(fields, config_json);
    if (!encoder.ok()) return encoder.status();
    return ParseEncoderConfig(*encoder);
  };
  absl::StatusOr<Config> config = parse();
  if (!config.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the encoder's configuration: ",
                     std::string(config.status().message())));
  }
  SetCosts(*config, gliner);
  return GlinerModel{*std::move(config), std::move(gliner)};
}

}  // namespace deberta::model
