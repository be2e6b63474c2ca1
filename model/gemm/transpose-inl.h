// Transposition of float matrices, compiled once per instruction set.

#if defined(MODEL_GEMM_TRANSPOSE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MODEL_GEMM_TRANSPOSE_INL_H_
#undef MODEL_GEMM_TRANSPOSE_INL_H_
#else
#define MODEL_GEMM_TRANSPOSE_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

constexpr size_t kLanes = HWY_LANES(float);

#if HWY_TARGET != HWY_SCALAR

// Blocks of four lanes go to `to`, 4 `stride` apart.
template <bool kAdd, class D>
HWY_INLINE void StoreBlocks(D d, hn::Vec<D> v, float* to, size_t stride) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    if constexpr (kAdd) v = hn::Add(v, hn::LoadU(d, to));
    hn::StoreU(v, d, to);
  } else {
    const hn::Half<D> half;
    constexpr size_t kColumns = hn::MaxLanes(D()) / 2;
    StoreBlocks<kAdd>(half, hn::LowerHalf(half, v), to, stride);
    StoreBlocks<kAdd>(half, hn::UpperHalf(half, v), to + kColumns * stride,
                      stride);
  }
}

// Four rows of src become four columns of dst. Returns how many columns of src
// were done, in whole vectors.
template <bool kAdd>
HWY_INLINE size_t TransposeFourRows(const float* src, size_t src_stride,
                                    size_t columns, float* dst,
                                    size_t dst_stride) {
  const Floats d;
  const hn::Repartition<double, Floats> pairs;
  size_t c = 0;
  for (; c + kLanes <= columns; c += kLanes) {
    const Vector v0 = hn::LoadU(d, src + c);
    const Vector v1 = hn::LoadU(d, src + src_stride + c);
    const Vector v2 = hn::LoadU(d, src + 2 * src_stride + c);
    const Vector v3 = hn::LoadU(d, src + 3 * src_stride + c);
    const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, v0, v1));
    const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, v2, v3));
    const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, v0, v1));
    const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, v2, v3));
    // Block b of the m-th vector below is column 4 b + m.
    float* to = dst + c * dst_stride;
    const auto store = [&](auto column, size_t m) HWY_ATTR {
      StoreBlocks<kAdd>(d, hn::BitCast(d, column), to + m * dst_stride,
                        dst_stride);
    };
    store(hn::InterleaveLower(pairs, low01, low23), 0);
    store(hn::InterleaveUpper(pairs, low01, low23), 1);
    store(hn::InterleaveLower(pairs, high01, high23), 2);
    store(hn::InterleaveUpper(pairs, high01, high23), 3);
  }
  return c;
}

#else

template <bool kAdd>
size_t TransposeFourRows(const float*, size_t, size_t, float*, size_t) {
  return 0;
}

#endif

// dst[c][r] = src[r][c], or += if kAdd.
template <bool kAdd>
void Transpose(const float* src, size_t src_stride, size_t rows, size_t columns,
               float* dst, size_t dst_stride) {
  const auto move = [&](size_t r, size_t c) {
    float& to = dst[c * dst_stride + r];
    const float from = src[r * src_stride + c];
    to = kAdd ? to + from : from;
  };
  size_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    for (size_t c = TransposeFourRows<kAdd>(src + r * src_stride, src_stride,
                                            columns, dst + r, dst_stride);
         c < columns; ++c) {
      for (size_t i = 0; i < 4; ++i) move(r + i, c);
    }
  }
  for (; r < rows; ++r) {
    for (size_t c = 0; c < columns; ++c) move(r, c);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#endif  // MODEL_GEMM_TRANSPOSE_INL_H_
