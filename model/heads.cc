#include "model/heads.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace deberta::model {
namespace {

// Rows of zeros and `classifier` [1, in].
Linear::Source AfterZeros(const LinearWeights& classifier,
                          WeightReader& reader) {
  const std::vector<float> weight = reader.Read(classifier.weight);
  const std::vector<float> bias = reader.Read(classifier.bias);
  return {.out = 2,
          .in = weight.size(),
          .read_row =
              [weight](size_t row, std::span<float> values) {
                if (row == 0) {
                  std::ranges::fill(values, 0.0f);
                } else {
                  std::ranges::copy(weight, values.begin());
                }
              },
          .bias = {0.0f, bias[0]}};
}

}  // namespace

absl::StatusOr<HeadLayers> HeadLayers::Load(const HeadWeights& weights,
                                            WeightReader& reader) {
  const Config& config = reader.config();
  HeadLayers head;
  absl::Status status;
  const auto keep = [&](absl::StatusOr<Linear> packed,
                        std::optional<Linear>& linear) {
    if (packed.ok()) linear = *std::move(packed);
    status.Update(packed.status());
  };
  switch (weights.head) {
    case Head::kNone:
      break;
    case Head::kSequenceClassification:
    case Head::kMultipleChoice:
      keep(reader.Pack(weights.pooler, config.pooler_act), head.first_);
      keep(reader.Pack(weights.classifier), head.last_);
      break;
    case Head::kTokenClassification:
    case Head::kQuestionAnswering:
      keep(reader.Pack(weights.classifier), head.last_);
      break;
    case Head::kMaskedLanguageModel:
      keep(reader.Pack(weights.dense, config.hidden_act), head.first_);
      head.norm_ = reader.Norm(weights.norm);
      keep(reader.Pack(
               LinearWeights{weights.decoder_weight, weights.decoder_bias}),
           head.last_);
      break;
    case Head::kReplacedTokenDetection:
      head.input_norm_ = reader.Norm(weights.norm);
      keep(reader.Pack(weights.dense, config.hidden_act), head.first_);
      keep(reader.Pack(AfterZeros(weights.classifier, reader)), head.last_);
      break;
  }
  if (!status.ok()) return status;
  return head;
}

void HeadLayers::Forward(float* x, size_t rows, float* logits,
                         Workspace& workspace) const {
  if (input_norm_.has_value()) {
    input_norm_->Forward(x, nullptr, rows, x, workspace.pool());
  }
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
  return (input_norm_.has_value() ? input_norm_->bytes() : 0) +
         (first_.has_value() ? first_->bytes() : 0) +
         (norm_.has_value() ? norm_->bytes() : 0) +
         (last_.has_value() ? last_->bytes() : 0);
}

}  // namespace deberta::model
