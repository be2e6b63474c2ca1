// Softmax of a row of scores, compiled once per instruction set.

#if defined(MODEL_LAYERS_ATTENTION_SOFTMAX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MODEL_LAYERS_ATTENTION_SOFTMAX_INL_H_
#undef MODEL_LAYERS_ATTENTION_SOFTMAX_INL_H_
#else
#define MODEL_LAYERS_ATTENTION_SOFTMAX_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstring>
#include <limits>

#include "model/gemm/bf16-inl.h"
#include "model/gemm/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// e^x for x <= 0, to 2 ulp; below -87 as at -87. Cody-Waite reduction by ln 2,
// then the Taylor series to degree 7 on [-ln2 / 2, ln2 / 2].
HWY_INLINE Vector ExpOfNegative(Vector x) {
  const Floats d;
  const hn::RebindToSigned<Floats> di;
  x = hn::Max(x, hn::Set(d, -87.0f));
  const Vector n = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504f)));
  Vector r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
  Vector y = hn::Set(d, 1.0f / 5040);
  y = hn::MulAdd(y, r, hn::Set(d, 1.0f / 720));
  y = hn::MulAdd(y, r, hn::Set(d, 1.0f / 120));
  y = hn::MulAdd(y, r, hn::Set(d, 1.0f / 24));
  y = hn::MulAdd(y, r, hn::Set(d, 1.0f / 6));
  y = hn::MulAdd(y, r, hn::Set(d, 0.5f));
  y = hn::MulAdd(y, r, hn::Set(d, 1.0f));
  y = hn::MulAdd(y, r, hn::Set(d, 1.0f));
  const auto exponent =
      hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(di, n), hn::Set(di, 127)));
  return hn::Mul(y, hn::BitCast(d, exponent));
}

HWY_INLINE void StoreElements(Vector v, float* to) {
  hn::StoreU(v, Floats(), to);
}

HWY_INLINE void StoreElements(Vector v, Bf16* to) {
  StoreBf16(Floats(), v, to);
}

// Replaces a row of scores by e^(scale (score - max)), as T in the same memory,
// and returns 1 / their sum. Reads and writes whole vectors; zeroes the rest of
// the last cell.
template <typename T>
float SoftmaxRow(float* row, size_t length, float scale) {
  const Floats d;
  const Vector scales = hn::Set(d, scale);
  // Never ahead of what is read.
  T* to = reinterpret_cast<T*>(row);
  const size_t whole = length / kLanes * kLanes;
  const auto tail = hn::FirstN(d, length - whole);
  const bool has_tail = whole < length;
  Vector max = hn::Set(d, std::numeric_limits<float>::lowest());
  for (size_t j = 0; j < whole; j += kLanes) {
    max = hn::Max(max, hn::LoadU(d, row + j));
  }
  if (has_tail) {
    max = hn::Max(max, hn::IfThenElse(tail, hn::LoadU(d, row + whole), max));
  }
  max = hn::MaxOfLanes(d, max);
  Vector sum = hn::Zero(d);
  for (size_t j = 0; j < whole; j += kLanes) {
    const Vector e =
        ExpOfNegative(hn::Mul(scales, hn::Sub(hn::LoadU(d, row + j), max)));
    StoreElements(e, to + j);
    sum = hn::Add(sum, e);
  }
  if (has_tail) {
    const Vector score = hn::IfThenElse(tail, hn::LoadU(d, row + whole), max);
    const Vector e = hn::IfThenElseZero(
        tail, ExpOfNegative(hn::Mul(scales, hn::Sub(score, max))));
    StoreElements(e, to + whole);
    sum = hn::Add(sum, e);
  }
  if constexpr (sizeof(T) < sizeof(float)) {
    // Cells are read as floats: a plain store of a T might be moved behind.
    std::memset(to + length, 0, sizeof(T));
  }
  return 1 / hn::GetLane(hn::SumOfLanes(d, sum));
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#endif  // MODEL_LAYERS_ATTENTION_SOFTMAX_INL_H_
