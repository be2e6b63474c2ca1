// Hidden states of a text -> its vector, as a sentence-transformers directory
// says: one or several poolings side by side, then layers.

#ifndef SERVER_TASKS_SHARED_TEXT_VECTORS_H_
#define SERVER_TASKS_SHARED_TEXT_VECTORS_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "model/checkpoint/config.h"

namespace deberta::server {

enum class TextPooling {
  kCls,
  kMax,
  kMean,
  kMeanSqrtLength,  // the sum over the square root of the number of tokens
  kWeightedMean,    // token i, from 1, counts i times
  kLast,
};
// "cls", "max", "mean", "mean_sqrt_len", "weighted_mean", "last".
std::string TextPoolingName(TextPooling pooling);

// One layer after the pooling.
struct VectorLayer {
  enum class Kind { kNormalize, kDense };
  Kind kind = Kind::kNormalize;
  // Of kDense: act(x W^T + b).
  size_t in = 0;
  size_t out = 0;
  std::vector<float> weight = {};  // [out, in]
  std::vector<float> bias = {};    // [out], or empty
  model::Activation activation = model::Activation::kLinear;
};

struct TextVectors {
  std::vector<TextPooling> poolings = {};  // at least one
  std::vector<VectorLayer> layers = {};

  // Of the vectors, for hidden states of this width.
  size_t width(size_t hidden) const {
    size_t width = hidden * poolings.size();
    for (const VectorLayer& layer : layers) {
      if (layer.kind == VectorLayer::Kind::kDense) width = layer.out;
    }
    return width;
  }
};

// [rows, width] -> [width]. REQUIRES: there is a row.
std::vector<float> Pool(std::span<const float> values, size_t width,
                        TextPooling pooling);

// To L2 norm 1; a zero vector stays what it is.
void Normalize(std::vector<float>* vector);

// The vector of a text with the hidden states `values` [rows, width].
std::vector<float> TextVector(const TextVectors& vectors,
                              std::span<const float> values, size_t width);

}  // namespace deberta::server

#endif  // SERVER_TASKS_SHARED_TEXT_VECTORS_H_
