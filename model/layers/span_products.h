// Labels against spans, of which each part was computed once:
//   logit_kc = sum_w u_cw max(0, a_w + b_kw) + bias_c

#ifndef MODEL_LAYERS_SPAN_PRODUCTS_H_
#define MODEL_LAYERS_SPAN_PRODUCTS_H_

#include <cstddef>

namespace deberta::model {

// The width and u_stride are multiples of this; where need be, rows end in
// zeros.
inline constexpr size_t kSpanWidthStep = 16;

constexpr size_t PaddedSpanWidth(size_t width) {
  return (width + kSpanWidthStep - 1) / kSpanWidthStep * kSpanWidthStep;
}

struct SpanProducts {
  const float* a = nullptr;  // [width]
  const float* b = nullptr;  // [spans, width]
  size_t spans = 0;
  const float* u = nullptr;  // [labels, width], rows u_stride apart
  size_t u_stride = 0;
  const float* bias = nullptr;  // [labels]
  size_t labels = 0;
  size_t width = 0;
};

// -> logits [spans, labels]. Each depends on its own span and label alone, to
// the bit. Arrays are aligned to 64 bytes, but for `bias` and `logits`.
void ComputeSpanProducts(const SpanProducts& parts, float* logits);

}  // namespace deberta::model

#endif  // MODEL_LAYERS_SPAN_PRODUCTS_H_
