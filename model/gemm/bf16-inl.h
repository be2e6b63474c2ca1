// Rounding to bfloat16, compiled once per instruction set.

#if defined(MODEL_GEMM_BF16_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MODEL_GEMM_BF16_INL_H_
#undef MODEL_GEMM_BF16_INL_H_
#else
#define MODEL_GEMM_BF16_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "model/gemm/bf16.h"

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// A vector of floats to as many Bf16.
template <class D>
HWY_INLINE void StoreBf16(D d, hn::Vec<D> v, Bf16* to) {
  const hn::RebindToUnsigned<D> du;
  const hn::Rebind<uint16_t, D> d16;
  const auto bits = hn::BitCast(du, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, uint32_t{1}));
  const auto rounded = hn::BitCast(
      d, hn::Add(bits, hn::Add(odd, hn::Set(du, uint32_t{0x7fff}))));
  // The carry would turn a NaN into a number.
  const auto quiet = hn::BitCast(d, hn::Set(du, uint32_t{0x400000}));
  const auto kept = hn::IfThenElse(hn::IsNaN(v), hn::Or(v, quiet), rounded);
  const auto upper = hn::ShiftRight<16>(hn::BitCast(du, kept));
  hn::StoreU(hn::TruncateTo(d16, upper), d16, &to->bits);
}

HWY_INLINE void RowToBf16(const float* from, size_t n, Bf16* to) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    StoreBf16(d, hn::LoadU(d, from + i), to + i);
  }
  const hn::CappedTag<float, 1> one;
  for (; i < n; ++i) StoreBf16(one, hn::LoadU(one, from + i), to + i);
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#endif  // MODEL_GEMM_BF16_INL_H_
