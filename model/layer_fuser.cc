#include "model/layer_fuser.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "model/layers/activation.h"

namespace deberta::model {
namespace {

// act(W x + b).
std::vector<float> Multiply(const std::vector<float>& weight,
                            const std::vector<float>& bias,
                            const std::vector<float>& x,
                            Activation activation) {
  std::vector<float> y = bias;
  for (size_t row = 0; row < y.size(); ++row) {
    y[row] = std::inner_product(
        x.begin(), x.end(),
        weight.begin() + static_cast<std::ptrdiff_t>(row * x.size()), y[row]);
  }
  ApplyActivation(activation, y);
  return y;
}

}  // namespace

absl::StatusOr<LayerFuser> LayerFuser::Load(const LayerFuserWeights& weights,
                                            WeightReader& reader) {
  auto output = reader.Pack(weights.output);
  if (!output.ok()) return output.status();
  LayerFuser fuser(*std::move(output));
  fuser.squeeze_ = reader.Read(weights.squeeze.weight);
  fuser.squeeze_bias_ = reader.Read(weights.squeeze.bias);
  fuser.first_ = reader.Read(weights.gates.first.weight);
  fuser.first_bias_ = reader.Read(weights.gates.first.bias);
  fuser.second_ = reader.Read(weights.gates.second.weight);
  fuser.second_bias_ = reader.Read(weights.gates.second.bias);
  return fuser;
}

std::vector<float> LayerFuser::Gates(std::span<const float> layers,
                                     size_t tokens, size_t begin,
                                     size_t end) const {
  const size_t width = squeeze_.size();
  std::vector<float> z(second_bias_.size());
  for (size_t k = 0; k < z.size(); ++k) {
    double sum = 0;
    for (size_t t = begin; t < end; ++t) {
      const float* row = &layers[(k * tokens + t) * width];
      sum += static_cast<double>(std::inner_product(
          row, row + width, squeeze_.begin(), squeeze_bias_[0]));
    }
    z[k] = static_cast<float>(sum / static_cast<double>(end - begin));
  }
  return Multiply(second_, second_bias_,
                  Multiply(first_, first_bias_, z, Activation::kRelu),
                  Activation::kSigmoid);
}

void LayerFuser::Forward(const RaggedBatch& batch,
                         std::span<const float> layers, float* hidden,
                         Workspace& workspace) const {
  const size_t width = squeeze_.size();
  const size_t tokens = batch.tokens();
  float* mixed = workspace.dense.Reserve(Linear::PaddedRows(tokens) * width);
  std::fill_n(mixed, tokens * width, 0.0f);
  workspace.pool().ParallelFor(batch.sequences(), [&](size_t s, int) {
    const size_t begin = batch.starts[s];
    const size_t end = batch.starts[s + 1];
    const std::vector<float> gates = Gates(layers, tokens, begin, end);
    for (size_t k = 0; k < gates.size(); ++k) {
      const float* from = &layers[k * tokens * width];
      for (size_t i = begin * width; i < end * width; ++i) {
        mixed[i] += gates[k] * from[i];
      }
    }
  });
  output_.Forward(mixed, tokens, hidden, workspace);
}

}  // namespace deberta::model
