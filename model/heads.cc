#include "model/heads.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "model/layers/activation.h"

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

// The matrices one below the other; all as wide.
absl::StatusOr<Linear> PackStacked(const std::vector<LinearWeights>& outputs,
                                   WeightReader& reader) {
  Linear::Source source;
  source.in = static_cast<size_t>(outputs.front().weight->shape[1]);
  std::vector<std::pair<const TensorView*, size_t>> rows;
  for (const LinearWeights& output : outputs) {
    const auto columns = static_cast<size_t>(output.weight->shape[0]);
    for (size_t row = 0; row < columns; ++row)
      rows.emplace_back(output.weight, row);
    std::vector<float> bias = reader.Read(output.bias);
    bias.resize(columns);
    source.bias.insert(source.bias.end(), bias.begin(), bias.end());
  }
  source.out = rows.size();
  source.read_row = [&rows, in = source.in](size_t row,
                                            std::span<float> values) {
    ReadFloats(*rows[row].first, rows[row].second * in, values);
  };
  absl::StatusOr<Linear> packed = reader.Pack(source);
  for (const LinearWeights& output : outputs) reader.Done(output.weight);
  return packed;
}

size_t BytesOf(const Linear& linear) { return linear.bytes(); }
size_t BytesOf(const LayerNorm& norm) { return norm.bytes(); }
size_t BytesOf(Activation) { return 0; }

}  // namespace

absl::StatusOr<HeadLayers> HeadLayers::Load(const HeadWeights& weights,
                                            WeightReader& reader) {
  const Config& config = reader.config();
  HeadLayers head;
  head.input_width_ = static_cast<size_t>(config.hidden_size);
  absl::Status status;
  switch (weights.head) {
    case Head::kNone:
      break;
    case Head::kSequenceClassification:
    case Head::kMultipleChoice:
      if (!weights.outputs.empty()) {
        status = head.LoadDeclared(weights, reader);
        break;
      }
      status = head.AddLinear(weights.pooler, config.pooler_act, reader);
      status.Update(head.SetLast(reader.Pack(weights.classifier)));
      break;
    case Head::kTokenClassification:
    case Head::kQuestionAnswering:
      status = head.SetLast(reader.Pack(weights.classifier));
      break;
    case Head::kMaskedLanguageModel:
      status = head.AddLinear(weights.dense, config.hidden_act, reader);
      head.layers_.emplace_back(reader.Norm(weights.norm));
      status.Update(head.SetLast(reader.Pack(
          LinearWeights{weights.decoder_weight, weights.decoder_bias})));
      break;
    case Head::kReplacedTokenDetection:
      head.layers_.emplace_back(reader.Norm(weights.norm));
      status = head.AddLinear(weights.dense, config.hidden_act, reader);
      status.Update(
          head.SetLast(reader.Pack(AfterZeros(weights.classifier, reader))));
      break;
  }
  if (!status.ok()) return status;
  return head;
}

absl::Status HeadLayers::LoadDeclared(const HeadWeights& weights,
                                      WeightReader& reader) {
  for (const HeadLayerWeights& layer : weights.layers) {
    if (layer.linear.weight != nullptr) {
      absl::Status status =
          AddLinear(layer.linear, Activation::kLinear, reader);
      if (!status.ok()) return status;
    } else if (layer.norm.weight != nullptr) {
      layers_.emplace_back(reader.Norm(layer.norm));
    } else {
      layers_.emplace_back(layer.activation);
    }
  }
  return SetLast(PackStacked(weights.outputs, reader));
}

absl::Status HeadLayers::AddLinear(const LinearWeights& weights,
                                   Activation activation,
                                   WeightReader& reader) {
  absl::StatusOr<Linear> packed = reader.Pack(weights, activation);
  if (packed.ok()) layers_.emplace_back(*std::move(packed));
  return packed.status();
}

absl::Status HeadLayers::SetLast(absl::StatusOr<Linear> packed) {
  if (packed.ok()) last_ = *std::move(packed);
  return packed.status();
}

void HeadLayers::Forward(float* x, size_t rows, float* logits,
                         Workspace& workspace) const {
  // No linear layer may write where it reads.
  FloatBuffer* free = &workspace.dense;
  FloatBuffer* taken = &workspace.intermediate;
  size_t width = 0;
  for (const auto& layer : layers_) {
    if (const auto* linear = std::get_if<Linear>(&layer)) {
      width = linear->out();
      float* y = free->Reserve(Linear::PaddedRows(rows) * width);
      linear->Forward(x, rows, y, workspace);
      x = y;
      std::swap(free, taken);
    } else if (const auto* norm = std::get_if<LayerNorm>(&layer)) {
      norm->Forward(x, nullptr, rows, x, workspace.pool());
    } else {
      const size_t in = width == 0 ? input_width_ : width;
      ApplyActivation(std::get<Activation>(layer), std::span(x, rows * in));
    }
  }
  last_->Forward(x, rows, logits, workspace);
}

size_t HeadLayers::bytes() const {
  size_t bytes = last_.has_value() ? last_->bytes() : 0;
  for (const auto& layer : layers_) {
    bytes += std::visit([](const auto& of) { return BytesOf(of); }, layer);
  }
  return bytes;
}

}  // namespace deberta::model
