// Attention's products, compiled once per instruction set: rows in tiles of six
// against columns in tiles of vectors.

#if defined(MODEL_LAYERS_ATTENTION_PRODUCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MODEL_LAYERS_ATTENTION_PRODUCT_INL_H_
#undef MODEL_LAYERS_ATTENTION_PRODUCT_INL_H_
#else
#define MODEL_LAYERS_ATTENTION_PRODUCT_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>

#include "model/gemm/register_tile-inl.h"
#include "model/layers/attention_head.h"

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kTileRows = HeadScratch::kTileRows;
static_assert(kTileRows == kRegisterTileRows);

// C[r][x] = sum_k A(r, k) B[k][x]. A is stored by rows (A(r, k) = a[r * stride
// + k]) or by columns (a[k * stride + r]).
struct Operands {
  const float* a = nullptr;
  size_t a_stride = 0;
  const float* b = nullptr;
  size_t b_stride = 0;
  size_t depth = 0;
};

template <typename T, size_t kVectors, bool kByColumns>
HWY_INLINE void Accumulate(const Operands& operands,
                           RegisterTile<kTileRows, kVectors>& sums) {
  for (size_t k = 0; k < operands.depth; ++k) {
    AddOuterProduct<T>(operands.a + (kByColumns ? k * operands.a_stride : k),
                       kByColumns ? 1 : operands.a_stride,
                       operands.b + k * operands.b_stride, sums);
  }
}

// c = A B, or c += A B.
template <typename T, size_t kVectors, bool kAdd>
HWY_NOINLINE void ScoreTile(const Operands& operands, float* c,
                            size_t c_stride) {
  const Floats d;
  RegisterTile<kTileRows, kVectors> sums;
  DEBERTA_UNROLL
  for (size_t r = 0; r < kTileRows; ++r) {
    DEBERTA_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      sums[r][v] =
          kAdd ? hn::LoadU(d, c + r * c_stride + v * kLanes) : hn::Zero(d);
    }
  }
  Accumulate<T, kVectors, true>(operands, sums);
  DEBERTA_UNROLL
  for (size_t r = 0; r < kTileRows; ++r) {
    DEBERTA_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      hn::StoreU(sums[r][v], d, c + r * c_stride + v * kLanes);
    }
  }
}

// c = A B, rows of A multiplied by `factors`.
template <typename T, size_t kVectors>
HWY_NOINLINE void ContextTile(const Operands& operands, const float* factors,
                              float* c, size_t c_stride) {
  const Floats d;
  RegisterTile<kTileRows, kVectors> sums;
  SetToZero<kTileRows, kVectors>(sums);
  Accumulate<T, kVectors, false>(operands, sums);
  DEBERTA_UNROLL
  for (size_t r = 0; r < kTileRows; ++r) {
    const Vector factor = hn::Set(d, factors[r]);
    DEBERTA_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      hn::StoreU(hn::Mul(sums[r][v], factor), d, c + r * c_stride + v * kLanes);
    }
  }
}

template <typename T, bool kAdd>
void ScoreTileOf(size_t vectors, const Operands& operands, float* c,
                 size_t c_stride) {
  if constexpr (kTileVectors == 4) {
    if (vectors == 4) return ScoreTile<T, 4, kAdd>(operands, c, c_stride);
    if (vectors == 3) return ScoreTile<T, 3, kAdd>(operands, c, c_stride);
  }
  if (vectors == 2) return ScoreTile<T, 2, kAdd>(operands, c, c_stride);
  ScoreTile<T, 1, kAdd>(operands, c, c_stride);
}

template <typename T>
void ContextTileOf(size_t vectors, const Operands& operands,
                   const float* factors, float* c, size_t c_stride) {
  if constexpr (kTileVectors == 4) {
    if (vectors == 4) return ContextTile<T, 4>(operands, factors, c, c_stride);
    if (vectors == 3) return ContextTile<T, 3>(operands, factors, c, c_stride);
  }
  if (vectors == 2) return ContextTile<T, 2>(operands, factors, c, c_stride);
  ContextTile<T, 1>(operands, factors, c, c_stride);
}

// Rows of A in tiles of kTileRows against `columns` of B. Blocks of columns
// outside: a block of B stays in L1 while the rows pass.
//
// `b_back` is what B moves to the left with each tile of rows: kTileRows for a
// window that follows the rows, else 0.
template <typename T, bool kAdd>
void Product(const Operands& first, size_t tiles, size_t columns, size_t b_back,
             float* c, size_t c_stride, size_t c_row_step) {
  const size_t vectors = (columns + kLanes - 1) / kLanes;
  for (size_t v = 0; v < vectors; v += kTileVectors) {
    Operands tile = first;
    tile.b += v * kLanes;
    float* to = c + v * kLanes;
    for (size_t t = 0; t < tiles; ++t) {
      ScoreTileOf<T, kAdd>(std::min(kTileVectors, vectors - v), tile, to,
                           c_row_step);
      tile.a += kTileRows;
      tile.b -= b_back;
      to += kTileRows * c_stride;
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#endif  // MODEL_LAYERS_ATTENTION_PRODUCT_INL_H_
