#include "model/gemm/bf16.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/gemm/bf16.cc"
#include <hwy/foreach_target.h>
//
#include "model/gemm/bf16-inl.h"

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

void SpanToBf16(const float* from, size_t n, Bf16* to) {
  RowToBf16(from, n, to);
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace deberta::model {

HWY_EXPORT(SpanToBf16);

void ToBf16(std::span<const float> from, Bf16* to) {
  HWY_DYNAMIC_DISPATCH(SpanToBf16)(from.data(), from.size(), to);
}

}  // namespace deberta::model

#endif  // HWY_ONCE
