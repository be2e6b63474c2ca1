#include "model/weights/head_weights.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "model/weights/bind_declared_head.h"

namespace deberta::model {
namespace {

constexpr char kLegacy[] = "cls.predictions.";
constexpr char kPlain[] = "lm_predictions.lm_head.";
constexpr char kReplacedTokens[] = "mask_predictions.";
constexpr char kPositions[] = "embeddings.position_embeddings.weight";

FillMaskDecoder ChooseDecoder(const TensorBinder& binder,
                              const Config& config) {
  const bool has_legacy = binder.HasAny(kLegacy);
  const bool legacy =
      has_legacy == binder.HasAny(kPlain) ? config.legacy_mlm_head : has_legacy;
  if (legacy) return FillMaskDecoder::kLegacy;
  const bool pretrained =
      config.legacy_mlm_head && !has_legacy && !config.position_biased_input &&
      config.embedding_size == config.hidden_size && binder.Has(kPositions);
  return pretrained ? FillMaskDecoder::kEnhanced : FillMaskDecoder::kPlain;
}

// For a configuration that names no task: pretrained files hold both the
// encoder and the head they were trained with.
absl::StatusOr<Head> HeadOfTensors(const TensorBinder& binder,
                                   const Config& config) {
  if (binder.Has("qa_outputs.weight")) return Head::kQuestionAnswering;
  if (binder.Has("classifier.weight")) {
    if (binder.Has("pooler.dense.weight")) return Head::kSequenceClassification;
    const char* tagger = config.family == Family::kDeberta
                             ? "DebertaForTokenClassification"
                             : "DebertaV2ForTokenClassification";
    return absl::InvalidArgumentError(absl::StrCat(
        "config.json names no class in \"architectures\", and a classifier "
        "without a pooler may be one of tokens or one that pools in a way of "
        "its own; if it is one of tokens, add \"architectures\": [\"",
        tagger, "\"]"));
  }
  if (binder.HasAny(kReplacedTokens)) return Head::kReplacedTokenDetection;
  if (binder.HasAny(kLegacy) ||
      (binder.HasAny(kPlain) && config.embedding_size == config.hidden_size)) {
    return Head::kMaskedLanguageModel;
  }
  return Head::kNone;
}

absl::StatusOr<Head> HeadOfArchitecture(const TensorBinder& binder,
                                        const Config& config) {
  if (!config.architecture_error.ok()) return config.architecture_error;
  switch (config.architecture) {
    case Architecture::kUnknown:
      return HeadOfTensors(binder, config);
    case Architecture::kModel:
      return Head::kNone;
    case Architecture::kMaskedLanguageModel: {
      const bool loadable = binder.HasAny(kLegacy) ||
                            (!config.legacy_mlm_head && binder.HasAny(kPlain));
      return !loadable && binder.HasAny(kReplacedTokens)
                 ? Head::kReplacedTokenDetection
                 : Head::kMaskedLanguageModel;
    }
    case Architecture::kSequenceClassification:
      return Head::kSequenceClassification;
    case Architecture::kTokenClassification:
      return Head::kTokenClassification;
    case Architecture::kQuestionAnswering:
      return Head::kQuestionAnswering;
    case Architecture::kMultipleChoice:
      return Head::kMultipleChoice;
  }
  return Head::kNone;
}

// Whether the configuration has what only this head reads.
absl::Status CheckHeadConfig(Head head, const Config& config) {
  const bool sequences = head == Head::kSequenceClassification;
  if (sequences || head == Head::kMultipleChoice) {
    if (!config.pooler_error.ok()) return config.pooler_error;
  }
  if (sequences || head == Head::kTokenClassification) {
    return config.labels_error;
  }
  return absl::OkStatus();
}

void BindLegacy(const Config& config, const TensorView* word_embeddings,
                TensorBinder& binder, HeadWeights& weights) {
  const std::string prefix = kLegacy;
  const int64_t width = config.embedding_size;
  weights.dense =
      binder.Linear(prefix + "transform.dense", width, config.hidden_size);
  weights.norm = binder.Norm(prefix + "transform.LayerNorm", width);
  // Version 5 ties only what the file does not have; 4.57 ties whatever it has.
  const bool stored_counts =
      !config.tie_word_embeddings || config.transformers_major >= 5;
  const bool decoder_bias =
      binder.Has(prefix + "decoder.bias") &&
      (!binder.Has(prefix + "bias") || config.transformers_major >= 5);
  weights.decoder_bias = binder.Tensor(
      prefix + (decoder_bias ? "decoder.bias" : "bias"), {config.vocab_size});
  weights.decoder_weight = word_embeddings;
  if (stored_counts && binder.Has(prefix + "decoder.weight")) {
    weights.decoder_weight =
        binder.Tensor(prefix + "decoder.weight", {config.vocab_size, width});
  }
}

absl::Status CheckEnhanced(const Config& config) {
  if (config.position_biased_input) {
    return absl::InvalidArgumentError(
        "enhanced mask decoder: needs position_biased_input false; with true "
        "the original code decodes plainly");
  }
  if (config.num_hidden_layers < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("enhanced mask decoder: needs num_hidden_layers of at "
                     "least 2, got ",
                     config.num_hidden_layers));
  }
  return absl::OkStatus();
}

absl::Status BindFillMask(FillMaskDecoder decoder, const Config& config,
                          const TensorView* word_embeddings,
                          TensorBinder& binder, HeadWeights& weights) {
  if (decoder == FillMaskDecoder::kLegacy) {
    BindLegacy(config, word_embeddings, binder, weights);
    return absl::OkStatus();
  }
  const std::string prefix = kPlain;
  const int64_t hidden = config.hidden_size;
  if (config.embedding_size != hidden) {
    return absl::InvalidArgumentError(absl::StrCat(
        "lm_predictions.lm_head: needs embedding_size equal to hidden_size, "
        "got ",
        config.embedding_size, " and ", hidden));
  }
  if (decoder == FillMaskDecoder::kEnhanced) {
    const absl::Status allowed = CheckEnhanced(config);
    if (!allowed.ok()) return allowed;
    weights.decoder_positions =
        binder.Tensor(kPositions, {config.max_position_embeddings, hidden});
  }
  weights.dense = binder.Linear(prefix + "dense", hidden, hidden);
  weights.norm = binder.Norm(prefix + "LayerNorm", hidden);
  weights.decoder_bias = binder.Tensor(prefix + "bias", {config.vocab_size});
  weights.decoder_weight = word_embeddings;
  return absl::OkStatus();
}

}  // namespace

std::string_view FillMaskDecoderName(FillMaskDecoder decoder) {
  switch (decoder) {
    case FillMaskDecoder::kLegacy:
      return "legacy";
    case FillMaskDecoder::kPlain:
      return "plain";
    case FillMaskDecoder::kEnhanced:
      return "emd";
  }
  return "";
}

absl::StatusOr<FillMaskDecoder> ParseFillMaskDecoder(std::string_view name) {
  for (const FillMaskDecoder decoder :
       {FillMaskDecoder::kLegacy, FillMaskDecoder::kPlain,
        FillMaskDecoder::kEnhanced}) {
    if (name == FillMaskDecoderName(decoder)) return decoder;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("fill_mask: expected emd, plain or legacy, got \"",
                   absl::string_view(name.data(), name.size()), "\""));
}

absl::StatusOr<HeadWeights> BindHead(const Config& config,
                                     std::optional<FillMaskDecoder> fill_mask,
                                     const DeclaredHead* declared,
                                     const TensorView* word_embeddings,
                                     TensorBinder& binder) {
  if (declared != nullptr) return BindDeclared(*declared, config, binder);
  const int64_t hidden = config.hidden_size;
  const auto labels = static_cast<int64_t>(config.labels.size());
  HeadWeights weights;
  const absl::StatusOr<Head> head = fill_mask.has_value()
                                        ? Head::kMaskedLanguageModel
                                        : HeadOfArchitecture(binder, config);
  if (!head.ok()) return head.status();
  weights.head = *head;
  absl::Status status = CheckHeadConfig(weights.head, config);
  if (!status.ok()) return status;
  switch (weights.head) {
    case Head::kNone:
      break;
    case Head::kSequenceClassification:
      weights.pooler = binder.Linear("pooler.dense", hidden, hidden);
      weights.classifier = binder.Linear("classifier", labels, hidden);
      weights.labels = config.labels;
      break;
    case Head::kTokenClassification:
      weights.classifier = binder.Linear("classifier", labels, hidden);
      weights.labels = config.labels;
      break;
    case Head::kQuestionAnswering:
      weights.classifier = binder.Linear("qa_outputs", 2, hidden);
      break;
    case Head::kMaskedLanguageModel:
      weights.decoder =
          fill_mask.has_value() ? *fill_mask : ChooseDecoder(binder, config);
      status = BindFillMask(*weights.decoder, config, word_embeddings, binder,
                            weights);
      break;
    case Head::kMultipleChoice:
      weights.pooler = binder.Linear("pooler.dense", hidden, hidden);
      weights.classifier = binder.Linear("classifier", 1, hidden);
      break;
    case Head::kReplacedTokenDetection: {
      const std::string prefix = kReplacedTokens;
      weights.norm = binder.Norm(prefix + "LayerNorm", hidden);
      weights.dense = binder.Linear(prefix + "dense", hidden, hidden);
      weights.classifier = binder.Linear(prefix + "classifier", 1, hidden);
      weights.labels = {"ORIGINAL", "REPLACED"};
      break;
    }
  }
  if (!status.ok()) return status;
  return weights;
}

double RowCost(const HeadWeights& head, const Config& config) {
  double row = 0;
  std::vector<const TensorView*> matrices = {
      head.pooler.weight, head.dense.weight, head.classifier.weight,
      head.decoder_weight};
  for (const HeadLayerWeights& layer : head.layers)
    matrices.push_back(layer.linear.weight);
  for (const LinearWeights& output : head.outputs)
    matrices.push_back(output.weight);
  for (const TensorView* matrix : matrices) {
    if (matrix == nullptr) continue;
    row += static_cast<double>(matrix->shape[0]) *
           static_cast<double>(matrix->shape[1]);
  }
  return row / MultiplyAddsOfToken(config);
}

}  // namespace deberta::model
