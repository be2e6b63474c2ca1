#include "server/tasks/shared/text_vectors.h"

#include <algorithm>
#include <cmath>

#include "model/layers/activation.h"

namespace deberta::server {
namespace {

// The sum of the rows, token i from 1 counted i times if `weighted`, over
// `divisor`.
std::vector<float> SumOfRows(std::span<const float> values, size_t width,
                             bool weighted, double divisor) {
  std::vector<double> sums(width);
  for (size_t i = 0; i < values.size(); ++i) {
    const double weight = weighted ? static_cast<double>(i / width + 1) : 1.0;
    sums[i % width] += weight * static_cast<double>(values[i]);
  }
  std::vector<float> sum(width);
  for (size_t i = 0; i < width; ++i)
    sum[i] = static_cast<float>(sums[i] / divisor);
  return sum;
}

std::vector<float> GreatestOfRows(std::span<const float> values, size_t width) {
  std::vector<float> greatest(values.begin(),
                              values.begin() + static_cast<ptrdiff_t>(width));
  for (size_t i = width; i < values.size(); ++i) {
    greatest[i % width] = std::max(greatest[i % width], values[i]);
  }
  return greatest;
}

std::vector<float> Dense(const VectorLayer& layer,
                         std::span<const float> vector) {
  std::vector<float> out(layer.out);
  for (size_t o = 0; o < layer.out; ++o) {
    double sum = layer.bias.empty() ? 0 : static_cast<double>(layer.bias[o]);
    for (size_t i = 0; i < layer.in; ++i) {
      sum += static_cast<double>(layer.weight[o * layer.in + i]) *
             static_cast<double>(vector[i]);
    }
    out[o] = static_cast<float>(sum);
  }
  model::ApplyActivation(layer.activation, out);
  return out;
}

}  // namespace

std::string TextPoolingName(TextPooling pooling) {
  switch (pooling) {
    case TextPooling::kCls:
      return "cls";
    case TextPooling::kMax:
      return "max";
    case TextPooling::kMean:
      return "mean";
    case TextPooling::kMeanSqrtLength:
      return "mean_sqrt_len";
    case TextPooling::kWeightedMean:
      return "weighted_mean";
    case TextPooling::kLast:
      return "last";
  }
  return "";
}

std::vector<float> Pool(std::span<const float> values, size_t width,
                        TextPooling pooling) {
  const auto rows = static_cast<double>(values.size() / width);
  switch (pooling) {
    case TextPooling::kCls:
      return {values.begin(), values.begin() + static_cast<ptrdiff_t>(width)};
    case TextPooling::kLast:
      return {values.end() - static_cast<ptrdiff_t>(width), values.end()};
    case TextPooling::kMax:
      return GreatestOfRows(values, width);
    case TextPooling::kMean:
      return SumOfRows(values, width, /*weighted=*/false, rows);
    case TextPooling::kMeanSqrtLength:
      return SumOfRows(values, width, /*weighted=*/false, std::sqrt(rows));
    case TextPooling::kWeightedMean:
      return SumOfRows(values, width, /*weighted=*/true, rows * (rows + 1) / 2);
  }
  return {};
}

void Normalize(std::vector<float>* vector) {
  double squares = 0;
  for (const float value : *vector) {
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  if (squares == 0) return;
  const double norm = std::sqrt(squares);
  for (float& value : *vector) {
    value = static_cast<float>(static_cast<double>(value) / norm);
  }
}

std::vector<float> TextVector(const TextVectors& vectors,
                              std::span<const float> values, size_t width) {
  std::vector<float> vector;
  for (const TextPooling pooling : vectors.poolings) {
    const std::vector<float> pooled = Pool(values, width, pooling);
    vector.insert(vector.end(), pooled.begin(), pooled.end());
  }
  for (const VectorLayer& layer : vectors.layers) {
    if (layer.kind == VectorLayer::Kind::kNormalize) {
      Normalize(&vector);
    } else {
      vector = Dense(layer, vector);
    }
  }
  return vector;
}

}  // namespace deberta::server
