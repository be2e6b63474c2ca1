#include "model/checkpoint/config.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "model/checkpoint/config_architecture.h"
#include "model/checkpoint/config_fields.h"
#include "model/checkpoint/config_labels.h"

namespace deberta::model {
namespace {

// Far above any released model, and small enough that no product of two sizes
// and an element's bytes overflows.
constexpr int64_t kMaxVocabulary = int64_t{1} << 24;
constexpr int64_t kMaxWidth = int64_t{1} << 16;
constexpr int64_t kMaxIntermediate = int64_t{1} << 20;
constexpr int64_t kMaxPositions = int64_t{1} << 20;
constexpr int64_t kMaxLayers = 1024;
constexpr int64_t kMaxKernel = 255;
constexpr int64_t kAnyInt = int64_t{1} << 31;

std::vector<std::string> LowerParts(std::string_view text) {
  std::vector<std::string> parts =
      absl::StrSplit(absl::AsciiStrToLower({text.data(), text.size()}), '|');
  for (std::string& part : parts) absl::StripAsciiWhitespace(&part);
  return parts;
}

bool Contains(const std::vector<std::string>& list, const char* item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

void ReadFamily(ConfigFields& fields, Config& config) {
  const std::string type = fields.Text("model_type", "");
  if (type == "deberta") {
    config.family = Family::kDeberta;
  } else if (type == "deberta-v2") {
    config.family = Family::kDebertaV2;
  } else {
    fields.Refuse(
        "model_type", "\"deberta\" or \"deberta-v2\"",
        fields.Find("model_type") ? json::Shown(Json(type)) : "no such key");
  }
}

void ReadSizes(ConfigFields& fields, Config& config) {
  const bool v1 = config.family == Family::kDeberta;
  config.vocab_size =
      fields.Int("vocab_size", v1 ? 50265 : 128100, 1, kMaxVocabulary);
  config.hidden_size = fields.Int("hidden_size", v1 ? 768 : 1536, 1, kMaxWidth);
  config.num_hidden_layers =
      fields.Int("num_hidden_layers", v1 ? 12 : 24, 1, kMaxLayers);
  config.num_attention_heads =
      fields.Int("num_attention_heads", v1 ? 12 : 24, 1, kMaxWidth);
  config.intermediate_size =
      fields.Int("intermediate_size", v1 ? 3072 : 6144, 1, kMaxIntermediate);
  config.embedding_size =
      fields.Int("embedding_size", config.hidden_size, 1, kMaxWidth);
  config.max_position_embeddings =
      fields.Int("max_position_embeddings", 512, 1, kMaxPositions);
  config.type_vocab_size = fields.Int("type_vocab_size", 0, 0, kMaxWidth);

  if (config.hidden_size % config.num_attention_heads != 0) {
    fields.Refuse("hidden_size",
                  absl::StrCat("a multiple of num_attention_heads (",
                               config.num_attention_heads, ")"),
                  absl::StrCat(config.hidden_size));
  }
  config.head_size = config.hidden_size / config.num_attention_heads;
  if (v1) return;
  const int64_t head_size =
      fields.Int("attention_head_size", config.head_size, 1, kMaxWidth);
  if (head_size != config.head_size) {
    fields.Refuse("attention_head_size",
                  absl::StrCat("hidden_size / num_attention_heads (",
                               config.head_size, ")"),
                  absl::StrCat(head_size));
  }
}

void ReadPositionTerms(ConfigFields& fields, Config& config) {
  std::vector<std::string> terms;
  if (const Json* value = fields.Find("pos_att_type")) {
    const bool strings =
        value->is_array() &&
        std::all_of(value->begin(), value->end(),
                    [](const Json& item) { return item.is_string(); });
    if (value->is_string()) {
      terms = LowerParts(value->get_ref<const std::string&>());
    } else if (strings) {
      terms = value->get<std::vector<std::string>>();
    } else {
      fields.Refuse("pos_att_type", "a string or a list of strings",
                    json::Shown(*value));
    }
  }
  // p2p, the original code's third term, is counted by the reference's v1, and
  // computed by neither.
  const bool c2p = Contains(terms, "c2p");
  const bool p2c = Contains(terms, "p2c");
  config.c2p = config.relative_attention && c2p;
  config.p2c = config.relative_attention && p2c;
  // Counted even where relative_attention leaves the terms out.
  config.scale_factor = config.family == Family::kDeberta
                            ? 1 + static_cast<int64_t>(terms.size())
                            : 1 + (c2p ? 1 : 0) + (p2c ? 1 : 0);
}

void ReadPositions(ConfigFields& fields, Config& config) {
  config.position_biased_input = fields.Bool("position_biased_input", true);
  config.relative_attention = fields.Bool("relative_attention", false);
  ReadPositionTerms(fields, config);
  config.max_relative_positions =
      fields.Int("max_relative_positions", -1, -kAnyInt, kMaxPositions);
  if (config.max_relative_positions < 1) {
    config.max_relative_positions = config.max_position_embeddings;
  }
  if (config.family == Family::kDeberta) return;

  config.share_att_key = fields.Bool("share_att_key", false);
  config.norm_rel_embeddings =
      Contains(LowerParts(fields.Text("norm_rel_ebd", "none")), "layer_norm");
  config.position_buckets =
      fields.Int("position_buckets", -1, -kAnyInt, kMaxPositions);
  if (!config.relative_attention || config.position_buckets <= 0) return;
  // ln((R - 1) / mid) divides, and mid too (spec 2.4).
  const int64_t middle = config.position_buckets / 2;
  if (middle == 0 || config.max_relative_positions - 1 <= middle) {
    fields.Refuse("position_buckets",
                  absl::StrCat("at least 2, with half of it below the relative "
                               "position limit less one (",
                               config.max_relative_positions - 1, ")"),
                  absl::StrCat(config.position_buckets));
  }
}

void ReadConvolution(ConfigFields& fields, Config& config) {
  config.conv_kernel_size =
      fields.Int("conv_kernel_size", 0, -kAnyInt, kMaxKernel);
  if (config.conv_kernel_size <= 0) {
    config.conv_kernel_size = 0;
    return;
  }
  if (config.conv_kernel_size % 2 == 0) {
    fields.Refuse("conv_kernel_size", "an odd number",
                  absl::StrCat(config.conv_kernel_size));
  }
  config.conv_act = fields.ActivationNamed("conv_act", "tanh");
  config.conv_groups = fields.Int("conv_groups", 1, 1, kMaxWidth);
  if (config.hidden_size % config.conv_groups != 0) {
    fields.Refuse(
        "conv_groups",
        absl::StrCat("a divisor of hidden_size (", config.hidden_size, ")"),
        absl::StrCat(config.conv_groups));
  }
}

void ReadPooler(ConfigFields& fields, Config& config) {
  config.pooler_act = fields.ActivationNamed("pooler_hidden_act", "gelu");
  const int64_t pooler =
      fields.Int("pooler_hidden_size", config.hidden_size, 1, kMaxWidth);
  if (pooler != config.hidden_size) {
    fields.Refuse("pooler_hidden_size",
                  absl::StrCat("hidden_size (", config.hidden_size, ")"),
                  absl::StrCat(pooler));
  }
}

// transformers would compute with the quantized weights that it tells of.
void CheckNotQuantized(ConfigFields& fields) {
  const Json* quantization = fields.Find("quantization_config");
  if (quantization == nullptr || quantization->empty()) return;
  fields.Refuse("quantization_config",
                "none: weights in full precision (--precision=int8 quantizes "
                "them at load)",
                json::Shown(*quantization));
}

void ReadHeads(ConfigFields& fields, Config& config) {
  config.legacy_mlm_head = fields.Bool("legacy", true);
  config.tie_word_embeddings = fields.Bool("tie_word_embeddings", true);
  const std::string version = fields.Text("transformers_version", "");
  if (!absl::SimpleAtoi(version.substr(0, version.find('.')),
                        &config.transformers_major)) {
    config.transformers_major = 0;
  }
  const Json* type = fields.Find("problem_type");
  if (type == nullptr) return;
  if (*type == "regression") {
    config.problem_type = ProblemType::kRegression;
  } else if (*type == "single_label_classification") {
    config.problem_type = ProblemType::kSingleLabel;
  } else if (*type == "multi_label_classification") {
    config.problem_type = ProblemType::kMultiLabel;
  } else {
    fields.Refuse("problem_type",
                  "regression, single_label_classification or "
                  "multi_label_classification",
                  json::Shown(*type));
  }
}

// All but what heads of transformers' classes read.
absl::StatusOr<Config> ReadEncoder(const Json& object) {
  ConfigFields fields(object);
  Config config;
  ReadFamily(fields, config);
  if (!fields.status().ok()) return fields.status();
  ReadSizes(fields, config);
  config.layer_norm_eps = fields.Real("layer_norm_eps", 1e-7f, 0.0, 1.0);
  config.hidden_act = fields.ActivationNamed("hidden_act", "gelu");
  ReadPositions(fields, config);
  if (config.family == Family::kDebertaV2) {
    ReadConvolution(fields, config);
  } else if (fields.Bool("talking_head", false)) {
    fields.Refuse("talking_head", "false", "true");
  }
  CheckNotQuantized(fields);
  if (!fields.status().ok()) return fields.status();
  return config;
}

}  // namespace

absl::StatusOr<Config> ParseEncoderConfig(const Json& object) {
  absl::StatusOr<Config> config = ReadEncoder(object);
  if (config.ok()) config->architecture = Architecture::kModel;
  return config;
}

absl::StatusOr<Config> NestedEncoder(ConfigFields& fields, const char* key) {
  const Json* own = fields.Find(key);
  if (own == nullptr || !own->is_object()) {
    fields.Refuse(key, "an object",
                  own == nullptr ? "none" : json::Shown(*own));
    return fields.status();
  }
  Json encoder = *own;
  if (!encoder.contains("model_type")) encoder["model_type"] = "deberta-v2";
  absl::StatusOr<Config> config = ParseEncoderConfig(encoder);
  if (config.ok()) return config;
  return absl::InvalidArgumentError(
      absl::StrCat(key, ": ", std::string(config.status().message())));
}

double MultiplyAddsOfToken(const Config& config) {
  const auto hidden = static_cast<double>(config.hidden_size);
  const auto inner = static_cast<double>(config.intermediate_size);
  return static_cast<double>(config.num_hidden_layers) *
         (4 * hidden * hidden + 2 * hidden * inner);
}

absl::StatusOr<Config> ParseConfig(std::string_view text) {
  const absl::StatusOr<Json> object = ParseObject(text);
  if (!object.ok()) return object.status();
  absl::StatusOr<Config> config = ReadEncoder(*object);
  if (!config.ok()) return config;
  ConfigFields heads(*object);
  ReadHeads(heads, *config);
  if (!heads.status().ok()) return heads.status();

  ConfigFields architecture(*object);
  ReadArchitecture(architecture, *config);
  config->architecture_error = architecture.status();
  ConfigFields pooler(*object);
  ReadPooler(pooler, *config);
  config->pooler_error = pooler.status();
  ConfigFields labels(*object);
  ReadLabels(text, labels, *config);
  config->labels_error = labels.status();
  return config;
}

}  // namespace deberta::model
