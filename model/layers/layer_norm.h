// LayerNorm over the hidden dimension, with the residual added on the way.

#ifndef MODEL_LAYERS_LAYER_NORM_H_
#define MODEL_LAYERS_LAYER_NORM_H_

#include <cstddef>
#include <vector>

#include "model/runtime/thread_pool.h"

namespace deberta::model {

class LayerNorm {
 public:
  LayerNorm() = default;
  // `weight` and `bias` [width].
  LayerNorm(std::vector<float> weight, std::vector<float> bias, float epsilon);

  // y = (z - mean z) / sqrt(var z + epsilon) * weight + bias for each row of
  // z = x + residual; `residual` may be null. x, residual and y are [rows,
  // width] and may be the same. The variance is of the population, taken in a
  // second pass: with an epsilon of 1e-7 E[z^2] - E[z]^2 loses it.
  void Forward(const float* x, const float* residual, size_t rows, float* y,
               ThreadPool& pool) const;

  size_t width() const { return weight_.size(); }
  size_t bytes() const { return 2 * width() * sizeof(float); }

 private:
  std::vector<float> weight_;
  std::vector<float> bias_;
  float epsilon_ = 0;
};

}  // namespace deberta::model

#endif  // MODEL_LAYERS_LAYER_NORM_H_
