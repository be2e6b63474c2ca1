#include "model/layers/span_products.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/layers/span_products.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "model/gemm/unroll.h"

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using SpanFloats = hn::CappedTag<float, kSpanWidthStep>;

template <size_t kSpans, size_t kLabels>
HWY_INLINE void MultiplySpans(const SpanProducts& parts, size_t span,
                              size_t label, float* logits) {
  const SpanFloats d;
  using Vector = hn::Vec<SpanFloats>;
  const size_t width = parts.width;
  const float* const b = parts.b + span * width;
  const float* const u = parts.u + label * parts.u_stride;
  Vector sums[kSpans][kLabels];
  for (auto& row : sums) {
    for (Vector& sum : row) sum = hn::Zero(d);
  }
  for (size_t w = 0; w < width; w += hn::Lanes(d)) {
    const Vector a = hn::Load(d, parts.a + w);
    Vector labels[kLabels];
    DEBERTA_UNROLL
    for (size_t c = 0; c < kLabels; ++c) {
      labels[c] = hn::Load(d, u + c * parts.u_stride + w);
    }
    DEBERTA_UNROLL
    for (size_t k = 0; k < kSpans; ++k) {
      const Vector sum = hn::Add(a, hn::Load(d, b + k * width + w));
      const Vector positive = hn::Max(sum, hn::Zero(d));
      DEBERTA_UNROLL
      for (size_t c = 0; c < kLabels; ++c) {
        sums[k][c] = hn::MulAdd(positive, labels[c], sums[k][c]);
      }
    }
  }
  for (size_t k = 0; k < kSpans; ++k) {
    for (size_t c = 0; c < kLabels; ++c) {
      logits[(span + k) * parts.labels + label + c] =
          hn::GetLane(hn::SumOfLanes(d, sums[k][c])) + parts.bias[label + c];
    }
  }
}

// Every label of so many spans.
template <size_t kSpans>
void MultiplyLabels(const SpanProducts& parts, size_t span, float* logits) {
  size_t label = 0;
  for (; label + 4 <= parts.labels; label += 4) {
    MultiplySpans<kSpans, 4>(parts, span, label, logits);
  }
  for (; label < parts.labels; ++label) {
    MultiplySpans<kSpans, 1>(parts, span, label, logits);
  }
}

void MultiplyAllSpans(const SpanProducts& parts, float* logits) {
  size_t span = 0;
  for (; span + 4 <= parts.spans; span += 4) {
    MultiplyLabels<4>(parts, span, logits);
  }
  for (; span < parts.spans; ++span) MultiplyLabels<1>(parts, span, logits);
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace deberta::model {

HWY_EXPORT(MultiplyAllSpans);

void ComputeSpanProducts(const SpanProducts& parts, float* logits) {
  HWY_DYNAMIC_DISPATCH(MultiplyAllSpans)(parts, logits);
}

}  // namespace deberta::model

#endif  // HWY_ONCE
