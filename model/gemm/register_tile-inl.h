// The product that GEMM and attention share, compiled once per instruction set:
// a few rows times a few vectors of columns, added up in registers.
//
// The matrices are made of cells along their depth: a float each, or two Bf16
// that follow each other. What surrounds a step differs: GEMM asks for weights
// ahead of their use and cuts the depth into blocks; attention reads windows of
// tables, and rows of its left matrix that stand side by side.

#if defined(MODEL_GEMM_REGISTER_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MODEL_GEMM_REGISTER_TILE_INL_H_
#undef MODEL_GEMM_REGISTER_TILE_INL_H_
#else
#define MODEL_GEMM_REGISTER_TILE_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "model/gemm/bf16.h"
#include "model/gemm/transpose-inl.h"
#include "model/gemm/unroll.h"

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Rows of a tile, and most vectors of one: accumulators, the row of the right
// matrix and one broadcast fill the registers, 32 of them from AVX-512 on, 16
// before.
constexpr size_t kRegisterTileRows = 6;
constexpr size_t kTileVectors = kLanes >= 16 ? 4 : 2;

template <size_t kRows, size_t kVectors>
using RegisterTile = Vector[kRows][kVectors];

template <size_t kRows, size_t kVectors>
HWY_INLINE void SetToZero(RegisterTile<kRows, kVectors>& sums) {
  DEBERTA_UNROLL
  for (size_t r = 0; r < kRows; ++r) {
    DEBERTA_UNROLL
    for (size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::Zero(Floats());
  }
}

// sum + a b, cell by cell.
template <typename T>
HWY_INLINE Vector MulAddCells(Vector a, Vector b, Vector sum);

template <>
HWY_INLINE Vector MulAddCells<float>(Vector a, Vector b, Vector sum) {
  return hn::MulAdd(a, b, sum);
}

template <>
HWY_INLINE Vector MulAddCells<Bf16>(Vector a, Vector b, Vector sum) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  // Highway 1.0 has no operation for it, and an intrinsic cannot be inlined
  // into functions that are compiled for less.
  asm("vdpbf16ps %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
  return sum;
#else
  const Floats d;
  const hn::RebindToUnsigned<Floats> du;
  const auto low = [&](Vector v) HWY_ATTR {
    return hn::BitCast(d, hn::ShiftLeft<16>(hn::BitCast(du, v)));
  };
  const auto high = [&](Vector v) HWY_ATTR {
    return hn::BitCast(
        d, hn::And(hn::BitCast(du, v), hn::Set(du, uint32_t{0xffff0000})));
  };
  return hn::MulAdd(high(a), high(b), hn::MulAdd(low(a), low(b), sum));
#endif
}

// Keeps the compiler from folding the load into each multiplication: a window
// that is not aligned would be split at every use instead of once.
HWY_INLINE Vector LoadOnce(const float* from) {
  Vector v = hn::LoadU(Floats(), from);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  asm("" : "+v"(v.raw));
#endif
  return v;
}

// One step of depth: sums(r, x) += a(r) b(x), where a(r) is `a_stride` behind
// a(r - 1).
template <typename T, size_t kRows, size_t kVectors>
HWY_INLINE void AddOuterProduct(const float* a, size_t a_stride, const float* b,
                                RegisterTile<kRows, kVectors>& sums) {
  const Floats d;
  Vector row[kVectors];
  DEBERTA_UNROLL
  for (size_t v = 0; v < kVectors; ++v) row[v] = LoadOnce(b + v * kLanes);
  DEBERTA_UNROLL
  for (size_t r = 0; r < kRows; ++r) {
    const Vector value = hn::Set(d, a[r * a_stride]);
    DEBERTA_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      sums[r][v] = MulAddCells<T>(value, row[v], sums[r][v]);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#endif  // MODEL_GEMM_REGISTER_TILE_INL_H_
