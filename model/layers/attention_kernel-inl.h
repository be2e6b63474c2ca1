// The vectorised part of attention.cc, compiled once per instruction set.
//
// With L keys and a strip of queries i0 <= i < i0 + n, all matrices row-major:
//
//   1. c2p. For six query rows the table columns of all keys lie within one
//      window of L + 5 columns, so Q_i . PK is a plain product of six rows with
//      that window. Row r of the result starts 5 - r columns late; storing it
//      that much to the left makes it scores [query, key].
//   2. p2c. The same with six keys and n + 5 columns of PQ gives [key, query],
//      which is transposed onto the scores.
//   3. c2c. The product Q K^T starts its accumulators from the scores.
//   4. Softmax of each row, then P V, divided by the row's sum at the end.
//
// The matrices that enter a product are made of cells (see HeadScratch), so
// that fp32 and bf16 share everything but the product of two cells.
//
// Rows beyond the strip and columns beyond L are computed on whatever stands
// there and never read, so every row goes through the same instructions
// wherever it stands: results do not depend on the strip.

#if defined(MODEL_LAYERS_ATTENTION_KERNEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MODEL_LAYERS_ATTENTION_KERNEL_INL_H_
#undef MODEL_LAYERS_ATTENTION_KERNEL_INL_H_
#else
#define MODEL_LAYERS_ATTENTION_KERNEL_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>

#include "model/gemm/bf16-inl.h"
#include "model/gemm/transpose-inl.h"
#include "model/gemm/unroll.h"
#include "model/layers/attention_head.h"

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kTileRows = HeadScratch::kTileRows;
// Accumulators, the row of the right matrix and one broadcast fill the
// registers: 32 of them from AVX-512 on, 16 before.
constexpr size_t kTileVectors = kLanes >= 16 ? 4 : 2;

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

// C[r][x] = sum_k A(r, k) B[k][x]. A is stored by rows (A(r, k) = a[r * stride
// + k]) or by columns (a[k * stride + r]).
struct Operands {
  const float* a = nullptr;
  size_t a_stride = 0;
  const float* b = nullptr;
  size_t b_stride = 0;
  size_t depth = 0;
};

// Keeps the compiler from folding the load into each multiplication: a window
// that is not aligned would be split at every use instead of once.
HWY_INLINE Vector LoadOnce(const float* from) {
  Vector v = hn::LoadU(Floats(), from);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  asm("" : "+v"(v.raw));
#endif
  return v;
}

template <typename T, size_t kVectors, bool kByColumns>
HWY_INLINE void Accumulate(const Operands& operands,
                           Vector (&sums)[kTileRows][kVectors]) {
  const Floats d;
  const float* a = operands.a;
  const float* b = operands.b;
  const size_t a_stride = operands.a_stride;
  for (size_t k = 0; k < operands.depth; ++k) {
    Vector row[kVectors];
    DEBERTA_UNROLL
    for (size_t v = 0; v < kVectors; ++v) row[v] = LoadOnce(b + v * kLanes);
    DEBERTA_UNROLL
    for (size_t r = 0; r < kTileRows; ++r) {
      const Vector value = hn::Set(d, kByColumns ? a[r] : a[r * a_stride]);
      DEBERTA_UNROLL
      for (size_t v = 0; v < kVectors; ++v) {
        sums[r][v] = MulAddCells<T>(value, row[v], sums[r][v]);
      }
    }
    a += kByColumns ? a_stride : 1;
    b += operands.b_stride;
  }
}

// c = A B, or c += A B.
template <typename T, size_t kVectors, bool kAdd>
HWY_NOINLINE void ScoreTile(const Operands& operands, float* c,
                            size_t c_stride) {
  const Floats d;
  Vector sums[kTileRows][kVectors];
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
  Vector sums[kTileRows][kVectors];
  DEBERTA_UNROLL
  for (size_t r = 0; r < kTileRows; ++r) {
    DEBERTA_UNROLL
    for (size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::Zero(d);
  }
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

constexpr size_t Tiles(size_t rows) {
  return (rows + kTileRows - 1) / kTileRows;
}

// Scores of queries [i0, i0 + n) against all keys, into scratch.scores.
template <typename T>
void ScoreStrip(const AttentionHead<T>& head, size_t i0, size_t n,
                const HeadScratch& scratch) {
  constexpr size_t kSkew = kTileRows - 1;
  const size_t length = head.length;
  const size_t depth = head.head_size * sizeof(T) / sizeof(float);
  const size_t score_stride = scratch.score_stride;
  if (head.c2p.values != nullptr) {
    // Column reach + key - query, of key 0 and the tile's last query.
    const Operands window = {scratch.queries, scratch.query_stride,
                             head.c2p.values + head.c2p.reach - i0 - kSkew,
                             head.c2p.stride, depth};
    Product<T, false>(window, Tiles(n), length + kSkew, kTileRows,
                      scratch.scores - kSkew, score_stride, score_stride + 1);
  } else {
    std::memset(scratch.scores, 0,
                Tiles(n) * kTileRows * score_stride * sizeof(float));
  }
  if (head.p2c.values != nullptr) {
    // Column reach + query - key, of query i0 and the tile's last key.
    const Operands window = {scratch.keys, scratch.key_stride,
                             head.p2c.values + head.p2c.reach + i0 - kSkew,
                             head.p2c.stride, depth};
    Product<T, false>(window, Tiles(length), n + kSkew, kTileRows,
                      scratch.by_key - kSkew, scratch.by_key_stride,
                      scratch.by_key_stride + 1);
    Transpose<true>(scratch.by_key, scratch.by_key_stride, (length + 3) / 4 * 4,
                    (n + kLanes - 1) / kLanes * kLanes, scratch.scores,
                    score_stride);
  }
  const Operands content = {scratch.queries, scratch.query_stride, scratch.keys,
                            scratch.key_stride, depth};
  Product<T, true>(content, Tiles(n), length, 0, scratch.scores, score_stride,
                   score_stride);
}

HWY_INLINE void StoreRow(const float* from, size_t n, float* to) {
  std::memcpy(to, from, n * sizeof(float));
}

HWY_INLINE void StoreRow(const float* from, size_t n, Bf16* to) {
  RowToBf16(from, n, to);
}

// softmax(scores) V of `n` rows, to rows of `context`.
template <typename T>
void ContextStrip(const AttentionHead<T>& head, size_t n,
                  const HeadScratch& scratch, T* context) {
  const size_t width = scratch.value_stride;
  const size_t depth =
      (head.length * sizeof(T) + sizeof(float) - 1) / sizeof(float);
  for (size_t tile = 0; tile < n; tile += kTileRows) {
    const size_t rows = std::min(kTileRows, n - tile);
    float* scores = scratch.scores + tile * scratch.score_stride;
    float factors[kTileRows] = {};
    for (size_t r = 0; r < rows; ++r) {
      factors[r] = SoftmaxRow<T>(scores + r * scratch.score_stride, head.length,
                                 head.scale);
    }
    for (size_t c = 0; c < width; c += kTileVectors * kLanes) {
      ContextTileOf<T>(
          std::min(kTileVectors, (width - c) / kLanes),
          {scores, scratch.score_stride, scratch.values + c, width, depth},
          factors, scratch.context + c, width);
    }
    for (size_t r = 0; r < rows; ++r) {
      StoreRow(scratch.context + r * width, head.head_size,
               context + (tile + r) * head.context_stride);
    }
  }
}

void PackValues(const AttentionHead<float>& head, const HeadScratch& scratch) {
  for (size_t j = 0; j < head.length; ++j) {
    float* row = scratch.values + j * scratch.value_stride;
    std::memcpy(row, head.values + j * head.row_stride,
                head.head_size * sizeof(float));
    std::fill(row + head.head_size, row + scratch.value_stride, 0.0f);
  }
}

// Pairs of rows; zeros stand beside the last of an odd number.
void PackValues(const AttentionHead<Bf16>& head, const HeadScratch& scratch) {
  for (size_t j = 0; j < head.length; j += 2) {
    const Bf16* even = head.values + j * head.row_stride;
    const Bf16* odd = j + 1 < head.length ? even + head.row_stride : nullptr;
    Bf16* to =
        reinterpret_cast<Bf16*>(scratch.values + j / 2 * scratch.value_stride);
    for (size_t k = 0; k < head.head_size; ++k) {
      to[2 * k] = even[k];
      to[2 * k + 1] = odd == nullptr ? Bf16() : odd[k];
    }
    std::fill(to + 2 * head.head_size, to + 2 * scratch.value_stride, Bf16());
  }
}

// Rows of `head_size` elements to columns of cells.
template <typename T>
void TransposeCells(const T* from, size_t row_stride, size_t rows,
                    size_t head_size, float* to, size_t stride) {
  constexpr size_t kElements = sizeof(float) / sizeof(T);
  Transpose<false>(reinterpret_cast<const float*>(from), row_stride / kElements,
                   rows, head_size / kElements, to, stride);
}

template <typename T>
void AttendHead(const AttentionHead<T>& head, const HeadScratch& scratch) {
  TransposeCells(head.keys, head.row_stride, head.length, head.head_size,
                 scratch.keys, scratch.key_stride);
  PackValues(head, scratch);
  for (const AttentionPlan::Run& run : head.runs) {
    for (size_t done = 0; done < run.count; done += HeadScratch::kStripRows) {
      const size_t i0 = run.first + done;
      const size_t n =
          std::min<size_t>(HeadScratch::kStripRows, run.count - done);
      TransposeCells(head.queries + i0 * head.row_stride, head.row_stride, n,
                     head.head_size, scratch.queries, scratch.query_stride);
      ScoreStrip(head, i0, n, scratch);
      ContextStrip(head, n, scratch,
                   head.context + (run.output + done) * head.context_stride);
    }
  }
}

// One head of one sequence.
void AttendFloat(const AttentionHead<float>& head, const HeadScratch& scratch) {
  AttendHead(head, scratch);
}

void AttendBf16(const AttentionHead<Bf16>& head, const HeadScratch& scratch) {
  AttendHead(head, scratch);
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#endif  // MODEL_LAYERS_ATTENTION_KERNEL_INL_H_
