#include "server/tasks/shared/scores.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace deberta::server {
namespace {

// What a value is ordered by: NaN would make the order undefined.
float Key(float value) {
  return std::isnan(value) ? -std::numeric_limits<float>::infinity() : value;
}

}  // namespace

void Softmax(std::span<float> values) {
  if (values.empty()) return;
  const float max = Key(values[ArgMax(values)]);
  double sum = 0;
  for (float& value : values) {
    value = std::exp(value - max);
    sum += static_cast<double>(value);
  }
  for (float& value : values) {
    value = static_cast<float>(static_cast<double>(value) / sum);
  }
}

float Sigmoid(float x) {
  // exp() only of what is not positive.
  const float e = std::exp(-std::abs(x));
  return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

size_t ArgMax(std::span<const float> values) {
  size_t best = 0;
  for (size_t i = 1; i < values.size(); ++i) {
    if (Key(values[i]) > Key(values[best])) best = i;
  }
  return best;
}

std::vector<uint32_t> TopIndices(std::span<const float> values, size_t count) {
  std::vector<uint32_t> indices(values.size());
  std::iota(indices.begin(), indices.end(), 0u);
  count = std::min(count, indices.size());
  std::partial_sort(indices.begin(),
                    indices.begin() + static_cast<std::ptrdiff_t>(count),
                    indices.end(), [&](uint32_t a, uint32_t b) {
                      const float key_a = Key(values[a]);
                      const float key_b = Key(values[b]);
                      return key_a != key_b ? key_a > key_b : a < b;
                    });
  indices.resize(count);
  return indices;
}

void LogitMean::Add(std::span<const float> logits) {
  if (count_++ == 0) {
    first_.assign(logits.begin(), logits.end());
    sums_.assign(logits.size(), 0);
  }
  for (size_t i = 0; i < sums_.size(); ++i) {
    sums_[i] += static_cast<double>(logits[i]);
  }
}

std::vector<float> LogitMean::Take() {
  std::vector<float> mean = std::move(first_);
  if (count_ > 1) {
    for (size_t i = 0; i < mean.size(); ++i) {
      mean[i] = static_cast<float>(sums_[i] / static_cast<double>(count_));
    }
  }
  count_ = 0;
  return mean;
}

}  // namespace deberta::server
