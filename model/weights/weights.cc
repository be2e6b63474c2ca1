#include "model/weights/weights.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/weight_names.h"

namespace deberta::model {
namespace {

// GLiClass adds its segments to the words as an encoder adds types.
std::string TypesName(const Checkpoint& checkpoint) {
  const LabelConfig* label = checkpoint.label_config();
  return label != nullptr && HeadOf(*label).marks_separator
             ? "model.segment_embeddings.weight"
             : "embeddings.token_type_embeddings.weight";
}

void BindEmbeddings(const Checkpoint& checkpoint, TensorBinder& binder,
                    Weights& weights) {
  const Config& config = checkpoint.config();
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
        binder.Tensor(TypesName(checkpoint), {config.type_vocab_size, width});
  }
  if (width != config.hidden_size) {
    weights.embed_proj = binder.Tensor(prefix + "embed_proj.weight",
                                       {config.hidden_size, width});
  }
  weights.embeddings_norm =
      binder.Norm(prefix + "LayerNorm", config.hidden_size);
}

void BindEncoder(const Config& config, TensorBinder& binder, Weights& weights) {
  const int64_t hidden = config.hidden_size;
  if (config.relative_attention) {
    weights.rel_embeddings = binder.Tensor(
        "encoder.rel_embeddings.weight", {2 * config.relative_span(), hidden});
  }
  if (config.norm_rel_embeddings && config.relative_attention) {
    weights.rel_norm = binder.Norm("encoder.LayerNorm", hidden);
  } else if (config.norm_rel_embeddings &&
             binder.HasAny("encoder.LayerNorm.")) {
    // transformers saves it though there is nothing to norm.
    binder.Norm("encoder.LayerNorm", hidden);
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

void BindInProj(const Config& config, const std::string& prefix,
                TensorBinder& binder, LayerWeights& layer) {
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

// v1 as Microsoft's current code saves it: without sharing, and with biases of
// keys only where they were trained.
void BindRenamedV1(const Config& config, const std::string& prefix,
                   TensorBinder& binder, LayerWeights& layer) {
  const int64_t hidden = config.hidden_size;
  layer.query_proj = binder.Linear(prefix + "query_proj", hidden, hidden);
  layer.key_proj =
      binder.LinearWithOptionalBias(prefix + "key_proj", hidden, hidden);
  layer.value_proj = binder.Linear(prefix + "value_proj", hidden, hidden);
  if (config.c2p) {
    layer.pos_key_proj =
        binder.LinearWithOptionalBias(prefix + "pos_key_proj", hidden, hidden);
  }
  if (config.p2c) {
    layer.pos_query_proj =
        binder.Linear(prefix + "pos_query_proj", hidden, hidden);
  }
}

void BindAttentionV1(const Config& config, const std::string& prefix,
                     TensorBinder& binder, LayerWeights& layer) {
  if (!binder.Has(prefix + "in_proj.weight") &&
      binder.Has(prefix + "query_proj.weight")) {
    BindRenamedV1(config, prefix, binder, layer);
  } else {
    BindInProj(config, prefix, binder, layer);
  }
}

void BindAttentionV2(const Config& config, const std::string& prefix,
                     TensorBinder& binder, LayerWeights& layer) {
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

LayerWeights BindLayer(const Config& config, int64_t index,
                       TensorBinder& binder) {
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

void BindLabelHead(const Config& config, const LabelConfig& label,
                   TensorBinder& binder, Weights& weights) {
  const auto before = static_cast<std::ptrdiff_t>(binder.found().size());
  if (const auto* gliner = std::get_if<GlinerConfig>(&label)) {
    weights.label_head = BindGliner(config, *gliner, binder);
  } else if (const auto* gliclass = std::get_if<GliclassConfig>(&label)) {
    weights.label_head = BindGliclass(config, *gliclass, binder);
  } else {
    weights.label_head =
        BindGliner2(config, std::get<Gliner2Config>(label), binder);
  }
  weights.label_tensors.assign(binder.found().begin() + before,
                               binder.found().end());
}

std::vector<std::string> OfKind(WeightKind kind,
                                const std::vector<std::string>& names) {
  std::vector<std::string> kept;
  for (const std::string& name : names) {
    if (KindOfWeight(name) == kind) kept.push_back(name);
  }
  return kept;
}

// What the configuration says that the shapes and names of the head's tensors
// follow from.
std::string HeadHint(const Checkpoint& checkpoint) {
  const Config& config = checkpoint.config();
  if (config.class_name.empty()) return "";
  const bool labelled =
      config.architecture == Architecture::kSequenceClassification ||
      config.architecture == Architecture::kTokenClassification;
  return absl::StrCat("; ", checkpoint.config_file(), " names ",
                      config.class_name,
                      labelled ? absl::StrCat(" and ", config.labels.size(),
                                              " labels (id2label, num_labels)")
                               : "");
}

// Whether tensors that are left over may be, as BindWeights promises.
absl::Status CheckLeftOver(const Checkpoint& checkpoint, bool other_heads,
                           const std::vector<std::string>& unexpected) {
  const auto foreign = OfKind(WeightKind::kForeign, unexpected);
  if (!foreign.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        checkpoint.weights_path(), ": ", foreign.size(),
        " tensors that no DeBERTa class of transformers has: ",
        ListOfNames(foreign),
        "; what is computed with them is told by code of its own, and none is "
        "run here; \"head\" in deberta.json can declare it"));
  }
  const Config& config = checkpoint.config();
  const auto heads = OfKind(WeightKind::kTaskHead, unexpected);
  if (heads.empty() || other_heads) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      checkpoint.weights_path(), ": ", heads.size(),
      " tensors of another head than ",
      config.architecture == Architecture::kUnknown
          ? "the others make up"
          : absl::StrCat("that of ", config.class_name, " (",
                         checkpoint.config_file(), "'s architectures)"),
      ": ", ListOfNames(heads),
      "; if that class's own answer is wanted, save the model "
      "through it (from_pretrained, save_pretrained), which "
      "leaves them out"));
}

}  // namespace

absl::StatusOr<Weights> BindWeights(const Checkpoint& checkpoint,
                                    std::optional<FillMaskDecoder> fill_mask,
                                    const DeclaredHead* declared) {
  const Config& config = checkpoint.config();
  TensorBinder binder(checkpoint);
  Weights weights;
  BindEmbeddings(checkpoint, binder, weights);
  BindEncoder(config, binder, weights);
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    weights.layers.push_back(BindLayer(config, i, binder));
  }
  auto head =
      BindHead(config, fill_mask, declared, weights.word_embeddings, binder);
  if (!head.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        checkpoint.directory(), ": ", std::string(head.status().message())));
  }
  weights.head = *std::move(head);
  if (checkpoint.label_config() != nullptr)
    BindLabelHead(config, *checkpoint.label_config(), binder, weights);
  const absl::Status status = binder.status();
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        std::string(status.message()),
        checkpoint.label_config() == nullptr ? HeadHint(checkpoint) : ""));
  }
  weights.parameters = binder.parameters();
  weights.unexpected = binder.Unexpected();
  if (checkpoint.label_config() != nullptr) return weights;
  const bool other_heads = fill_mask.has_value() || declared != nullptr ||
                           config.architecture == Architecture::kModel;
  const absl::Status left_over =
      CheckLeftOver(checkpoint, other_heads, weights.unexpected);
  if (!left_over.ok()) return left_over;
  return weights;
}

}  // namespace deberta::model
