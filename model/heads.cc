#include "model/heads.h"

#include <utility>

namespace deberta::model {

absl::StatusOr<HeadLayers> HeadLayers::Load(const Weights& weights,
                                            WeightReader& reader) {
  const Config& config = reader.config();
  HeadLayers head;
  const auto load = [&](const LinearWeights& linear_weights, Activation act,
                        std::optional<Linear>& linear) {
    auto packed = reader.Pack(linear_weights, act);
    if (packed.ok()) linear = *std::move(packed);
    return packed.status();
  };
  absl::Status status;
  switch (weights.head) {
    case Head::kNone:
      break;
    case Head::kSequenceClassification:
      status.Update(load(weights.pooler, config.pooler_act, head.first_));
      status.Update(load(weights.classifier, Activation::kLinear, head.last_));
      break;
    case Head::kTokenClassification:
    case Head::kQuestionAnswering:
      status.Update(load(weights.classifier, Activation::kLinear, head.last_));
      break;
    case Head::kMaskedLanguageModel:
      status.Update(load(weights.mlm_dense, config.hidden_act, head.first_));
      head.norm_ = reader.Norm(weights.mlm_norm);
      status.Update(load({weights.mlm_decoder, weights.mlm_bias},
                         Activation::kLinear, head.last_));
      break;
  }
  if (!status.ok()) return status;
  return head;
}

void HeadLayers::Forward(float* x, size_t rows, float* logits,
                         Workspace& workspace) const {
  if (first_.has_value()) {
    float* dense =
        workspace.dense.Reserve(Linear::PaddedRows(rows) * first_->out());
    first_->Forward(x, rows, dense, workspace);
    x = dense;
  }
  if (norm_.has_value()) {
    norm_->Forward(x, nullptr, rows, x, workspace.pool());
  }
  last_->Forward(x, rows, logits, workspace);
}

size_t HeadLayers::bytes() const {
  return (first_.has_value() ? first_->bytes() : 0) +
         (norm_.has_value() ? norm_->bytes() : 0) +
         (last_.has_value() ? last_->bytes() : 0);
}

}  // namespace deberta::model
