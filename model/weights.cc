#include "model/weights.h"

#include <initializer_list>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/weight_names.h"

namespace deberta::model {
namespace {

constexpr size_t kMostListed = 20;

// "; 3 missing: a, b, c", or nothing.
void AppendList(const char* kind, const std::vector<std::string>& items,
                std::string& message) {
  if (items.empty()) return;
  absl::StrAppend(&message, "; ", items.size(), " ", kind, ": ");
  for (size_t i = 0; i < items.size() && i < kMostListed; ++i) {
    absl::StrAppend(&message, i == 0 ? "" : ", ", items[i]);
  }
  if (items.size() > kMostListed) {
    absl::StrAppend(&message, " and ", items.size() - kMostListed, " more");
  }
}

// Looks tensors up by name and shape, and remembers which were asked for and
// which were not as they should be.
class Binder {
 public:
  explicit Binder(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  bool Has(const std::string& name) const {
    return checkpoint_.Find(name) != nullptr;
  }

  const TensorView* Tensor(const std::string& name,
                           std::initializer_list<int64_t> shape) {
    const std::vector<int64_t> expected(shape);
    const TensorView* tensor = checkpoint_.Find(name);
    if (tensor == nullptr) {
      const auto other = checkpoint_.other_types().find(name);
      missing_.push_back(
          other == checkpoint_.other_types().end()
              ? name
              : absl::StrCat(name, " (of type ", other->second,
                             ", expected F32, F16, BF16 or F64)"));
      return nullptr;
    }
    if (tensor->shape != expected) {
      misshapen_.push_back(absl::StrCat(name, " is ", ShapeText(tensor->shape),
                                        ", expected ", ShapeText(expected)));
    }
    if (used_.insert(name).second) {
      parameters_ += static_cast<int64_t>(tensor->elements());
    }
    return tensor;
  }

  LinearWeights Linear(const std::string& name, int64_t out, int64_t in) {
    return {Tensor(name + ".weight", {out, in}), Tensor(name + ".bias", {out})};
  }

  LayerNormWeights Norm(const std::string& name, int64_t size) {
    return {Tensor(name + ".weight", {size}), Tensor(name + ".bias", {size})};
  }

  // Completes `weights`, or says all that is wrong.
  absl::StatusOr<Weights> Finish(Weights weights) const {
    for (const auto& [name, tensor] : checkpoint_.tensors()) {
      if (!used_.contains(name) && !IsIgnoredWeight(name)) {
        weights.unexpected.push_back(name);
      }
    }
    if (missing_.empty() && misshapen_.empty()) {
      weights.parameters = parameters_;
      return weights;
    }
    std::string message = absl::StrCat(checkpoint_.weights_path(),
                                       ": tensors do not fit config.json");
    AppendList("missing", missing_, message);
    AppendList("misshapen", misshapen_, message);
    AppendList("unexpected", weights.unexpected, message);
    return absl::InvalidArgumentError(message);
  }

 private:
  const Checkpoint& checkpoint_;
  std::set<std::string, std::less<>> used_;
  std::vector<std::string> missing_;
  std::vector<std::string> misshapen_;
  int64_t parameters_ = 0;
};

constexpr char kLegacyMlm[] = "cls.predictions";
constexpr char kPlainMlm[] = "lm_predictions.lm_head";

bool HasLegacyMlm(const Binder& binder) {
  return binder.Has(absl::StrCat(kLegacyMlm, ".transform.dense.weight"));
}

bool HasPlainMlm(const Binder& binder) {
  return binder.Has(absl::StrCat(kPlainMlm, ".dense.weight"));
}

// For a configuration that names no task: pretrained files hold both the
// encoder and the head they were trained with.
Head HeadOfTensors(const Binder& binder, const Config& config) {
  if (binder.Has("qa_outputs.weight")) return Head::kQuestionAnswering;
  if (binder.Has("classifier.weight")) {
    return binder.Has("pooler.dense.weight") ? Head::kSequenceClassification
                                             : Head::kTokenClassification;
  }
  if (HasLegacyMlm(binder) ||
      (HasPlainMlm(binder) && config.embedding_size == config.hidden_size)) {
    return Head::kMaskedLanguageModel;
  }
  return Head::kNone;
}

absl::StatusOr<Head> ChooseHead(const Binder& binder, const Config& config) {
  switch (config.architecture) {
    case Architecture::kUnknown:
      return HeadOfTensors(binder, config);
    case Architecture::kModel:
      return Head::kNone;
    case Architecture::kMaskedLanguageModel:
      return Head::kMaskedLanguageModel;
    case Architecture::kSequenceClassification:
      return Head::kSequenceClassification;
    case Architecture::kTokenClassification:
      return Head::kTokenClassification;
    case Architecture::kQuestionAnswering:
      return Head::kQuestionAnswering;
    case Architecture::kMultipleChoice:
      break;
  }
  return absl::InvalidArgumentError(
      "architectures: multiple choice models are not supported");
}

void BindEmbeddings(const Config& config, Binder& binder, Weights& weights) {
  const std::string prefix = "embeddings.";
  const int64_t width = config.embedding_size;
  weights.word_embeddings = binder.Tensor(prefix + "word_embeddings.weight",
                                          {config.vocab_size, width});
  if (config.position_biased_input) {
    weights.position_embeddings =
        binder.Tensor(prefix + "position_embeddings.weight",
                      {config.max_position_embeddings, width});
  }
  if (config.type_vocab_size > 0) {
    weights.token_type_embeddings =
        binder.Tensor(prefix + "token_type_embeddings.weight",
                      {config.type_vocab_size, width});
  }
  if (width != config.hidden_size) {
    weights.embed_proj = binder.Tensor(prefix + "embed_proj.weight",
                                       {config.hidden_size, width});
  }
  weights.embeddings_norm =
      binder.Norm(prefix + "LayerNorm", config.hidden_size);
}

void BindEncoder(const Config& config, Binder& binder, Weights& weights) {
  const int64_t hidden = config.hidden_size;
  if (config.relative_attention) {
    weights.rel_embeddings = binder.Tensor(
        "encoder.rel_embeddings.weight", {2 * config.relative_span(), hidden});
  }
  if (config.norm_rel_embeddings) {
    weights.rel_norm = binder.Norm("encoder.LayerNorm", hidden);
  }
  if (config.conv_kernel_size == 0) return;
  const std::string prefix = "encoder.conv.";
  ConvolutionWeights& convolution = weights.convolution.emplace();
  convolution.weight = binder.Tensor(
      prefix + "conv.weight",
      {hidden, hidden / config.conv_groups, config.conv_kernel_size});
  convolution.bias = binder.Tensor(prefix + "conv.bias", {hidden});
  convolution.norm = binder.Norm(prefix + "LayerNorm", hidden);
}

void BindAttentionV1(const Config& config, const std::string& prefix,
                     Binder& binder, LayerWeights& layer) {
  const int64_t hidden = config.hidden_size;
  layer.in_proj =
      binder.Tensor(prefix + "in_proj.weight", {3 * hidden, hidden});
  layer.q_bias = binder.Tensor(prefix + "q_bias", {hidden});
  layer.v_bias = binder.Tensor(prefix + "v_bias", {hidden});
  if (config.c2p) {
    layer.pos_key_proj.weight =
        binder.Tensor(prefix + "pos_proj.weight", {hidden, hidden});
  }
  if (config.p2c) {
    layer.pos_query_proj = binder.Linear(prefix + "pos_q_proj", hidden, hidden);
  }
}

void BindAttentionV2(const Config& config, const std::string& prefix,
                     Binder& binder, LayerWeights& layer) {
  const int64_t hidden = config.hidden_size;
  layer.query_proj = binder.Linear(prefix + "query_proj", hidden, hidden);
  layer.key_proj = binder.Linear(prefix + "key_proj", hidden, hidden);
  layer.value_proj = binder.Linear(prefix + "value_proj", hidden, hidden);
  if (config.c2p) {
    layer.pos_key_proj =
        config.share_att_key
            ? layer.key_proj
            : binder.Linear(prefix + "pos_key_proj", hidden, hidden);
  }
  if (config.p2c) {
    layer.pos_query_proj =
        config.share_att_key
            ? layer.query_proj
            : binder.Linear(prefix + "pos_query_proj", hidden, hidden);
  }
}

LayerWeights BindLayer(const Config& config, int64_t index, Binder& binder) {
  const std::string prefix = absl::StrCat("encoder.layer.", index, ".");
  const int64_t hidden = config.hidden_size;
  const int64_t inner = config.intermediate_size;
  LayerWeights layer;
  if (config.family == Family::kDeberta) {
    BindAttentionV1(config, prefix + "attention.self.", binder, layer);
  } else {
    BindAttentionV2(config, prefix + "attention.self.", binder, layer);
  }
  layer.attention_output =
      binder.Linear(prefix + "attention.output.dense", hidden, hidden);
  layer.attention_norm =
      binder.Norm(prefix + "attention.output.LayerNorm", hidden);
  layer.intermediate =
      binder.Linear(prefix + "intermediate.dense", inner, hidden);
  layer.output = binder.Linear(prefix + "output.dense", hidden, inner);
  layer.output_norm = binder.Norm(prefix + "output.LayerNorm", hidden);
  return layer;
}

void BindLegacyMlm(const Config& config, Binder& binder, Weights& weights) {
  const std::string prefix = absl::StrCat(kLegacyMlm, ".");
  const int64_t width = config.embedding_size;
  weights.mlm_dense =
      binder.Linear(prefix + "transform.dense", width, config.hidden_size);
  weights.mlm_norm = binder.Norm(prefix + "transform.LayerNorm", width);
  const bool copied_bias =
      !binder.Has(prefix + "bias") && binder.Has(prefix + "decoder.bias");
  weights.mlm_bias = binder.Tensor(
      prefix + (copied_bias ? "decoder.bias" : "bias"), {config.vocab_size});
  weights.mlm_decoder = weights.word_embeddings;
  if (!config.tie_word_embeddings && binder.Has(prefix + "decoder.weight")) {
    weights.mlm_decoder =
        binder.Tensor(prefix + "decoder.weight", {config.vocab_size, width});
  }
}

absl::Status BindMlm(const Config& config, Binder& binder, Weights& weights) {
  const bool legacy = HasLegacyMlm(binder) == HasPlainMlm(binder)
                          ? config.legacy_mlm_head
                          : HasLegacyMlm(binder);
  if (legacy) {
    BindLegacyMlm(config, binder, weights);
    return absl::OkStatus();
  }
  const int64_t hidden = config.hidden_size;
  if (config.embedding_size != hidden) {
    return absl::InvalidArgumentError(absl::StrCat(
        kPlainMlm, ": needs embedding_size equal to hidden_size, got ",
        config.embedding_size, " and ", hidden));
  }
  const std::string prefix = absl::StrCat(kPlainMlm, ".");
  weights.mlm_dense = binder.Linear(prefix + "dense", hidden, hidden);
  weights.mlm_norm = binder.Norm(prefix + "LayerNorm", hidden);
  weights.mlm_bias = binder.Tensor(prefix + "bias", {config.vocab_size});
  weights.mlm_decoder = weights.word_embeddings;
  return absl::OkStatus();
}

absl::Status BindHead(const Config& config, Binder& binder, Weights& weights) {
  const int64_t hidden = config.hidden_size;
  const int64_t labels = static_cast<int64_t>(config.labels.size());
  switch (weights.head) {
    case Head::kNone:
      return absl::OkStatus();
    case Head::kSequenceClassification:
      weights.pooler = binder.Linear("pooler.dense", hidden, hidden);
      weights.classifier = binder.Linear("classifier", labels, hidden);
      return absl::OkStatus();
    case Head::kTokenClassification:
      weights.classifier = binder.Linear("classifier", labels, hidden);
      return absl::OkStatus();
    case Head::kQuestionAnswering:
      weights.classifier = binder.Linear("qa_outputs", 2, hidden);
      return absl::OkStatus();
    case Head::kMaskedLanguageModel:
      return BindMlm(config, binder, weights);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Weights> BindWeights(const Checkpoint& checkpoint) {
  const Config& config = checkpoint.config();
  Binder binder(checkpoint);
  Weights weights;
  const absl::StatusOr<Head> head = ChooseHead(binder, config);
  absl::Status status = head.status();
  if (status.ok()) {
    weights.head = *head;
    BindEmbeddings(config, binder, weights);
    BindEncoder(config, binder, weights);
    for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
      weights.layers.push_back(BindLayer(config, i, binder));
    }
    status = BindHead(config, binder, weights);
  }
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        checkpoint.directory(), ": ", std::string(status.message())));
  }
  return binder.Finish(std::move(weights));
}

}  // namespace deberta::model
