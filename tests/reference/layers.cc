#include "tests/reference/layers.h"

#include <algorithm>
#include <cmath>

namespace deberta::reference {
namespace {

// Scores of query i of head h against all keys.
std::vector<double> Scores(const AttentionInput& input, size_t h, size_t i) {
  const size_t width = input.heads * input.head_size;
  const auto part = [&](size_t token, size_t which, size_t k) {
    return static_cast<double>(input.projections[(token * 3 + which) * width +
                                                 h * input.head_size + k]);
  };
  std::vector<double> scores(input.length);
  for (size_t j = 0; j < input.length; ++j) {
    const auto row = static_cast<size_t>(
        input.row(static_cast<int64_t>(i) - static_cast<int64_t>(j)));
    for (size_t k = 0; k < input.head_size; ++k) {
      const size_t at = row * width + h * input.head_size + k;
      scores[j] += part(i, 0, k) * part(j, 1, k);
      if (!input.pos_key.empty()) {
        scores[j] += part(i, 0, k) * input.pos_key[at];
      }
      if (!input.pos_query.empty()) {
        scores[j] += part(j, 1, k) * input.pos_query[at];
      }
    }
    scores[j] *= input.scale;
  }
  return scores;
}

}  // namespace

std::vector<double> Linear(std::span<const float> x,
                           std::span<const float> weight,
                           std::span<const float> bias, size_t in) {
  const size_t rows = x.size() / in;
  const size_t out = weight.size() / in;
  std::vector<double> y(rows * out);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t o = 0; o < out; ++o) {
      double sum = bias.empty() ? 0.0 : bias[o];
      for (size_t i = 0; i < in; ++i) {
        sum += static_cast<double>(x[r * in + i]) * weight[o * in + i];
      }
      y[r * out + o] = sum;
    }
  }
  return y;
}

std::vector<double> LayerNorm(std::span<const double> x,
                              std::span<const float> weight,
                              std::span<const float> bias, double epsilon) {
  const size_t width = weight.size();
  std::vector<double> y(x.size());
  for (size_t at = 0; at < x.size(); at += width) {
    double mean = 0;
    for (size_t i = 0; i < width; ++i) mean += x[at + i];
    mean /= static_cast<double>(width);
    double variance = 0;
    for (size_t i = 0; i < width; ++i) {
      variance += (x[at + i] - mean) * (x[at + i] - mean);
    }
    variance /= static_cast<double>(width);
    for (size_t i = 0; i < width; ++i) {
      y[at + i] =
          (x[at + i] - mean) / std::sqrt(variance + epsilon) * weight[i] +
          bias[i];
    }
  }
  return y;
}

std::vector<double> Attention(const AttentionInput& input) {
  const size_t width = input.heads * input.head_size;
  std::vector<double> context(input.length * width);
  for (size_t h = 0; h < input.heads; ++h) {
    for (size_t i = 0; i < input.length; ++i) {
      const std::vector<double> scores = Scores(input, h, i);
      const double max = *std::max_element(scores.begin(), scores.end());
      double sum = 0;
      for (const double score : scores) sum += std::exp(score - max);
      for (size_t j = 0; j < input.length; ++j) {
        const double p = std::exp(scores[j] - max) / sum;
        for (size_t k = 0; k < input.head_size; ++k) {
          const size_t at = h * input.head_size + k;
          context[i * width + at] +=
              p * input.projections[(j * 3 + 2) * width + at];
        }
      }
    }
  }
  return context;
}

std::vector<double> Convolution(std::span<const float> x,
                                std::span<const float> weight,
                                std::span<const float> bias, size_t groups,
                                size_t kernel) {
  const size_t hidden = bias.size();
  const size_t length = x.size() / hidden;
  const size_t group = hidden / groups;
  std::vector<double> y(x.size());
  for (size_t i = 0; i < length; ++i) {
    for (size_t o = 0; o < hidden; ++o) {
      double sum = bias[o];
      for (size_t t = 0; t < kernel; ++t) {
        const size_t from = i + t;
        const size_t before = (kernel - 1) / 2;
        if (from < before || from - before >= length) continue;
        for (size_t c = 0; c < group; ++c) {
          sum += static_cast<double>(weight[(o * group + c) * kernel + t]) *
                 x[(from - before) * hidden + o / group * group + c];
        }
      }
      y[i * hidden + o] = sum;
    }
  }
  return y;
}

}  // namespace deberta::reference
