#include "model/checkpoint/gliner2_config.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace deberta::model {
namespace {

constexpr int64_t kMaxWords = int64_t{1} << 16;
constexpr int64_t kMaxSpan = 1024;

constexpr std::pair<const char*, CountingLayer> kCountingLayers[] = {
    {"count_lstm", CountingLayer::kProjector},
    {"count_lstm_v2", CountingLayer::kTransformer},
    {"count_lstm_moe", CountingLayer::kExperts},
};
constexpr std::pair<const char*, WordPooling> kPoolings[] = {
    {"first", WordPooling::kFirst},
    {"mean", WordPooling::kMean},
    {"max", WordPooling::kMax},
};

void CheckArchitecture(ConfigFields& fields) {
  const std::string name = fields.Text("architecture", "span");
  if (name == "span") return;
  fields.Refuse(
      "architecture",
      name == "boundary"
          ? "\"span\", the boundary models of GLiNER2.5 are not served"
          : "\"span\"",
      json::Shown(Json(name)));
}

// That of "span_head" goes before the file's own.
int64_t MaxWidth(ConfigFields& fields) {
  const int64_t own = fields.Int("max_width", 8, 1, kMaxSpan);
  const Json* head = fields.Find("span_head");
  if (head == nullptr) return own;
  if (!head->is_object()) {
    fields.Refuse("span_head", "an object", json::Shown(*head));
    return own;
  }
  ConfigFields of_head(*head);
  const int64_t width = of_head.Int("max_width", own, 1, kMaxSpan);
  if (!of_head.status().ok()) {
    fields.Refuse("span_head.max_width",
                  absl::StrCat("an integer from 1 to ", kMaxSpan),
                  json::Shown(*of_head.Find("max_width")));
  }
  return width;
}

// Multiply-adds of the head, over those of the encoder on a token.
void SetCosts(const Config& encoder, LabelHead& head) {
  const auto hidden = static_cast<double>(encoder.hidden_size);
  const double token = MultiplyAddsOfToken(encoder);
  const double square = hidden * hidden / token;
  head.word_cost = 24 * square;
  // An instance or two.
  head.label_cost = 40 * square;
  head.pair_cost =
      4 * hidden * static_cast<double>(head.max_span_words) / token;
}

}  // namespace

absl::StatusOr<Gliner2Model> ParseGliner2Config(const Json& object,
                                                std::string_view encoder_json) {
  ConfigFields fields(object);
  CheckArchitecture(fields);
  Gliner2Config gliner2;
  gliner2.counting =
      OneOf(fields, "counting_layer", "count_lstm", kCountingLayers);
  gliner2.pooling = OneOf(fields, "token_pooling", "first", kPoolings);
  LabelHead& head = gliner2.head;
  head.kind = LabelHeadKind::kGroups;
  head.architecture =
      absl::StrCat("gliner2 ", fields.Text("counting_layer", "count_lstm"));
  head.max_words = static_cast<size_t>(fields.Int("max_len", 0, 1, kMaxWords));
  head.max_span_words = static_cast<size_t>(MaxWidth(fields));
  head.prompt_tokens = {"[SEP_STRUCT]", "[SEP_TEXT]", "[P]", "[C]",
                        "[E]",          "[R]",        "[L]", "[DESCRIPTION]"};
  if (!fields.status().ok()) return fields.status();

  const absl::StatusOr<Json> encoder_object = ParseObject(encoder_json);
  absl::StatusOr<Config> encoder =
      encoder_object.ok() ? ParseEncoderConfig(*encoder_object)
                          : absl::StatusOr<Config>(encoder_object.status());
  if (!encoder.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        kGliner2EncoderFile, ": ", std::string(encoder.status().message())));
  }
  SetCosts(*encoder, head);
  return Gliner2Model{*std::move(encoder), std::move(gliner2)};
}

}  // namespace deberta::model
