// DeBERTa-v2's convolution beside the first layer (spec 2.8).

#ifndef MODEL_LAYERS_CONVOLUTION_H_
#define MODEL_LAYERS_CONVOLUTION_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/layers/layer_norm.h"
#include "model/layers/linear.h"
#include "model/runtime/workspace.h"

namespace deberta::model {

struct Convolution {
  // A product over [kernel, hidden] neighbours; its activation is fused.
  Linear linear;
  LayerNorm norm;
  size_t kernel = 1;  // odd

  // The weight [hidden, hidden / groups, kernel] as the source of `linear`.
  // Groups are spread into one dense matrix with zeros between them.
  static Linear::Source Rows(std::span<const float> weight,
                             std::vector<float> bias, size_t hidden,
                             size_t groups, size_t kernel,
                             Activation activation);

  // y[i] = act(sum_t W_t x[i + t - (kernel - 1) / 2] + b) within each sequence,
  // zeros beyond its ends. x, y [tokens, hidden].
  void Forward(const float* x, std::span<const uint32_t> starts, float* y,
               Workspace& workspace) const;
};

}  // namespace deberta::model

#endif  // MODEL_LAYERS_CONVOLUTION_H_
