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

#include "model/layers/attention_head.h"
#include "model/layers/transpose-inl.h"

#if defined(__clang__)
#define DEBERTA_UNROLL _Pragma("clang loop unroll(full)")
#else
#define DEBERTA_UNROLL _Pragma("GCC unroll 8")
#endif

HWY_BEFORE_NAMESPACE();
namespace deberta::model {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kTileRows = HeadScratch::kTileRows;
// Accumulators, the row of the right matrix and one broadcast fill the
// registers: 32 of them from AVX-512 on, 16 before.
constexpr size_t kTileVectors = kLanes >= 16 ? 4 : 2;

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

template <size_t kVectors, bool kByColumns>
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
        sums[r][v] = hn::MulAdd(value, row[v], sums[r][v]);
      }
    }
    a += kByColumns ? a_stride : 1;
    b += operands.b_stride;
  }
}

// c = A B, or c += A B.
template <size_t kVectors, bool kAdd>
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
  Accumulate<kVectors, true>(operands, sums);
  DEBERTA_UNROLL
  for (size_t r = 0; r < kTileRows; ++r) {
    DEBERTA_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      hn::StoreU(sums[r][v], d, c + r * c_stride + v * kLanes);
    }
  }
}

// c = A B, rows of A multiplied by `factors`.
template <size_t kVectors>
HWY_NOINLINE void ContextTile(const Operands& operands, const float* factors,
                              float* c, size_t c_stride) {
  const Floats d;
  Vector sums[kTileRows][kVectors];
  DEBERTA_UNROLL
  for (size_t r = 0; r < kTileRows; ++r) {
    DEBERTA_UNROLL
    for (size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::Zero(d);
  }
  Accumulate<kVectors, false>(operands, sums);
  DEBERTA_UNROLL
  for (size_t r = 0; r < kTileRows; ++r) {
    const Vector factor = hn::Set(d, factors[r]);
    DEBERTA_UNROLL
    for (size_t v = 0; v < kVectors; ++v) {
      hn::StoreU(hn::Mul(sums[r][v], factor), d, c + r * c_stride + v * kLanes);
    }
  }
}

template <bool kAdd>
void ScoreTileOf(size_t vectors, const Operands& operands, float* c,
                 size_t c_stride) {
  if constexpr (kTileVectors == 4) {
    if (vectors == 4) return ScoreTile<4, kAdd>(operands, c, c_stride);
    if (vectors == 3) return ScoreTile<3, kAdd>(operands, c, c_stride);
  }
  if (vectors == 2) return ScoreTile<2, kAdd>(operands, c, c_stride);
  ScoreTile<1, kAdd>(operands, c, c_stride);
}

void ContextTileOf(size_t vectors, const Operands& operands,
                   const float* factors, float* c, size_t c_stride) {
  if constexpr (kTileVectors == 4) {
    if (vectors == 4) return ContextTile<4>(operands, factors, c, c_stride);
    if (vectors == 3) return ContextTile<3>(operands, factors, c, c_stride);
  }
  if (vectors == 2) return ContextTile<2>(operands, factors, c, c_stride);
  ContextTile<1>(operands, factors, c, c_stride);
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

// Replaces a row of scores by e^(score - max) and returns 1 / their sum. Reads
// and writes whole vectors.
float SoftmaxRow(float* row, size_t length) {
  const Floats d;
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
    const Vector e = ExpOfNegative(hn::Sub(hn::LoadU(d, row + j), max));
    hn::StoreU(e, d, row + j);
    sum = hn::Add(sum, e);
  }
  if (has_tail) {
    const Vector score = hn::IfThenElse(tail, hn::LoadU(d, row + whole), max);
    const Vector e =
        hn::IfThenElseZero(tail, ExpOfNegative(hn::Sub(score, max)));
    hn::StoreU(e, d, row + whole);
    sum = hn::Add(sum, e);
  }
  return 1 / hn::GetLane(hn::SumOfLanes(d, sum));
}

// Rows of A in tiles of kTileRows against `columns` of B. Blocks of columns
// outside: a block of B stays in L1 while the rows pass.
//
// `b_back` is what B moves to the left with each tile of rows: kTileRows for a
// window that follows the rows, else 0.
template <bool kAdd>
void Product(const Operands& first, size_t tiles, size_t columns, size_t b_back,
             float* c, size_t c_stride, size_t c_row_step) {
  const size_t vectors = (columns + kLanes - 1) / kLanes;
  for (size_t v = 0; v < vectors; v += kTileVectors) {
    Operands tile = first;
    tile.b += v * kLanes;
    float* to = c + v * kLanes;
    for (size_t t = 0; t < tiles; ++t) {
      ScoreTileOf<kAdd>(std::min(kTileVectors, vectors - v), tile, to,
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
void ScoreStrip(const AttentionHead& head, size_t i0, size_t n,
                const HeadScratch& scratch) {
  constexpr size_t kSkew = kTileRows - 1;
  const size_t length = head.length;
  const size_t score_stride = scratch.score_stride;
  if (head.c2p.values != nullptr) {
    // Column reach + key - query, of key 0 and the tile's last query.
    const Operands window = {scratch.queries, scratch.query_stride,
                             head.c2p.values + head.c2p.reach - i0 - kSkew,
                             head.c2p.stride, head.head_size};
    Product<false>(window, Tiles(n), length + kSkew, kTileRows,
                   scratch.scores - kSkew, score_stride, score_stride + 1);
  } else {
    std::memset(scratch.scores, 0,
                Tiles(n) * kTileRows * score_stride * sizeof(float));
  }
  if (head.p2c.values != nullptr) {
    // Column reach + query - key, of query i0 and the tile's last key.
    const Operands window = {scratch.keys, scratch.key_stride,
                             head.p2c.values + head.p2c.reach + i0 - kSkew,
                             head.p2c.stride, head.head_size};
    Product<false>(window, Tiles(length), n + kSkew, kTileRows,
                   scratch.by_key - kSkew, scratch.by_key_stride,
                   scratch.by_key_stride + 1);
    Transpose<true>(scratch.by_key, scratch.by_key_stride, (length + 3) / 4 * 4,
                    (n + kLanes - 1) / kLanes * kLanes, scratch.scores,
                    score_stride);
  }
  const Operands content = {scratch.queries, scratch.query_stride, scratch.keys,
                            scratch.key_stride, head.head_size};
  Product<true>(content, Tiles(n), length, 0, scratch.scores, score_stride,
                score_stride);
}

// softmax(scores) V of `n` rows, to rows of `context`.
void ContextStrip(const AttentionHead& head, size_t n,
                  const HeadScratch& scratch, float* context) {
  const size_t width = scratch.value_stride;
  for (size_t tile = 0; tile < n; tile += kTileRows) {
    const size_t rows = std::min(kTileRows, n - tile);
    float* scores = scratch.scores + tile * scratch.score_stride;
    float factors[kTileRows] = {};
    for (size_t r = 0; r < rows; ++r) {
      factors[r] = SoftmaxRow(scores + r * scratch.score_stride, head.length);
    }
    for (size_t c = 0; c < width; c += kTileVectors * kLanes) {
      ContextTileOf(std::min(kTileVectors, (width - c) / kLanes),
                    {scores, scratch.score_stride, scratch.values + c, width,
                     head.length},
                    factors, scratch.context + c, width);
    }
    for (size_t r = 0; r < rows; ++r) {
      std::memcpy(context + (tile + r) * head.context_stride,
                  scratch.context + r * width, head.head_size * sizeof(float));
    }
  }
}

// One head of one sequence.
void AttendHead(const AttentionHead& head, const HeadScratch& scratch) {
  Transpose<false>(head.keys, head.row_stride, head.length, head.head_size,
                   scratch.keys, scratch.key_stride);
  for (size_t j = 0; j < head.length; ++j) {
    float* row = scratch.values + j * scratch.value_stride;
    std::memcpy(row, head.values + j * head.row_stride,
                head.head_size * sizeof(float));
    std::fill(row + head.head_size, row + scratch.value_stride, 0.0f);
  }
  for (const AttentionPlan::Run& run : head.runs) {
    for (size_t done = 0; done < run.count; done += HeadScratch::kStripRows) {
      const size_t i0 = run.first + done;
      const size_t n =
          std::min<size_t>(HeadScratch::kStripRows, run.count - done);
      Transpose<false>(head.queries + i0 * head.row_stride, head.row_stride, n,
                       head.head_size, scratch.queries, scratch.query_stride);
      const Floats d;
      const Vector scale = hn::Set(d, head.scale);
      const size_t floats = head.head_size * scratch.query_stride;
      for (size_t i = 0; i < floats; i += kLanes) {
        hn::StoreU(hn::Mul(hn::LoadU(d, scratch.queries + i), scale), d,
                   scratch.queries + i);
      }
      ScoreStrip(head, i0, n, scratch);
      ContextStrip(head, n, scratch,
                   head.context + (run.output + done) * head.context_stride);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace deberta::model
HWY_AFTER_NAMESPACE();

#undef DEBERTA_UNROLL

#endif  // MODEL_LAYERS_ATTENTION_KERNEL_INL_H_
